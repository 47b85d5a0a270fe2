"""Reads the output of `pg_dump --statistics-only`, PostgreSQL 18 and later."""

from __future__ import annotations

from pytest_dbguard.planning.statistics.model import Statistics


def is_pg_dump(text: str) -> bool:
    """Whether a text is what pg_dump writes."""
    return "pg_restore_relation_stats(" in text


def statistics_of_pg_dump(text: str, *, values: bool = False, source: str = "pg_dump") -> Statistics:
    """Return what the file says; values of rows only where they are asked for."""
    raise NotImplementedError
