"""Listeners on SQLAlchemy that turn what it executes into recordings."""
