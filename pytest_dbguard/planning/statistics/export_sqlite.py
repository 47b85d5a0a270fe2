"""Reads the statistics of a SQLite database: rows of its tables, and what ANALYZE wrote; never a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytest_dbguard.planning.statistics.model import Statistics

Fetch = Callable[[str], Sequence[Sequence[Any]]]
"""Runs one SQL text without parameters and returns its rows."""


def export_sqlite(fetch: Fetch) -> Statistics:
    """Return the statistics of the database that `fetch` asks."""
    raise NotImplementedError
