"""A table of users, and a way to execute statements on an engine."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table

USERS = Table("users", MetaData(), Column("id", Integer, primary_key=True), Column("name", String, unique=True))


def run(engine, *statements):
    """Execute statements in one transaction."""
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
