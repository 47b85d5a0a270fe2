"""Recordings become findings, findings become a verdict."""
