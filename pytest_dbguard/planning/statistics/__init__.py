"""Planner statistics: from production's file, from declared sizes, completed from the schema."""
