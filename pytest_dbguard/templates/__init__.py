"""Databases made once from migrations and seeds, and copied whenever a clean one is needed."""
