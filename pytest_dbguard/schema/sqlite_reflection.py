"""Reads the catalog of a SQLite database."""

from __future__ import annotations

from pytest_dbguard.schema.catalog import Catalog
from pytest_dbguard.schema.fetching import Fetch


def reflect_sqlite(fetch: Fetch) -> Catalog:
    """Read the main database and the connection's temporary tables; attached databases are not read."""
    raise NotImplementedError(fetch)
