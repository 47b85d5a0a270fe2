"""The facts of one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_dbguard.sql.facts.model import StatementFacts


def statement_facts(sql: str, *, dialect: str, columns: Mapping[str, Sequence[str]]) -> StatementFacts:
    """Return what parsing tells of a statement (`Explainable.sql`); never raises.

    Args:
        sql: With `$1`, ... for PostgreSQL, with `?` for SQLite.
        dialect: "postgresql" or "sqlite".
        columns: Columns of tables, by `table` or `schema.table`; what is missing is not known.
    """
    return StatementFacts(problem="not analysed")
