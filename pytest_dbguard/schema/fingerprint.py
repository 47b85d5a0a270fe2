"""One cheap query that tells whether a schema has changed since it was read."""

from __future__ import annotations

from pytest_dbguard.schema.catalog import Dialect


def fingerprint_query(dialect: Dialect) -> str:
    """Return a query whose one text differs after every change to a table, column, index, constraint, view or type."""
    raise NotImplementedError(dialect)
