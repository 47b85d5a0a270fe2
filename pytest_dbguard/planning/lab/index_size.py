"""Computes what tables and B-trees weigh from widths and distinct values, as PostgreSQL would store them."""

from __future__ import annotations

from pytest_dbguard.planning.lab.base import IndexSize, IndexSpec
from pytest_dbguard.planning.statistics.model import TableStatistics
from pytest_dbguard.schema.catalog import Catalog, Index


def heap_pages(statistics: TableStatistics, catalog: Catalog) -> int:
    """Return the pages of 8 192 bytes of a table: as the statistics tell, else from the widths of its columns."""
    raise NotImplementedError


def index_size(
    statistics: TableStatistics,
    index: IndexSpec | Index,
    catalog: Catalog,
    *,
    major: int,
    rows: float | None = None,
) -> IndexSize:
    """Return the size of an index of that table, whether it exists or not.

    Args:
        statistics: Of the table, completed.
        index: The index.
        catalog: With the table's columns.
        major: Of the PostgreSQL server; equal keys share one entry from 13 on.
        rows: Entries, where they are known for a partial index; else they are estimated from its predicate.
    """
    raise NotImplementedError
