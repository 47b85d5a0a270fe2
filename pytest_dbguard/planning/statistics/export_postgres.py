"""Reads the statistics of a PostgreSQL database: what its planner knows, and never a row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from pytest_dbguard.planning.statistics.model import Statistics

Fetch = Callable[[str], Sequence[Sequence[Any]]]
"""Runs one SQL text without parameters and returns its rows."""


def export_postgres(fetch: Fetch, *, values: bool = False, schemas: Collection[str] | None = None) -> Statistics:
    """Return the statistics of the database that `fetch` asks, PostgreSQL 13 or later.

    Args:
        fetch: Asks on one connection, in one transaction where one snapshot matters.
        values: Whether most common values and histograms are read too: they are values of rows.
        schemas: Only these; all of users by default.
    """
    raise NotImplementedError
