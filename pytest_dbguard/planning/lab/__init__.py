"""The plan lab: a disposable database without rows whose planner believes in production's sizes."""
