"""Writes the rows of `sqlite_stat1` as ANALYZE would: for each index its entries and how many share a key."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.lab.distinct_values import distinct_among, distinct_keys, index_keys
from pytest_dbguard.planning.lab.predicate_share import predicate_share
from pytest_dbguard.planning.lab.sized_statistics import table_statistics
from pytest_dbguard.planning.statistics.model import Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Catalog, Index, Table

StatRow = tuple[str, str | None, str]
"""Table, index (None for a table without one), the figures."""


def stat1_rows(table: Table, statistics: TableStatistics) -> Iterator[StatRow]:
    """Yield the rows of a table: one for each index, or one for the table where no index holds all rows."""
    told = {index.name: index.stat for index in statistics.indexes if index.stat}
    has_full = False
    for index in table.indexes:
        if not index.name and not table.is_without_rowid:
            # the key of a rowid table is the table: it has no row
            continue
        is_table = table.is_without_rowid and index.is_primary
        name = table.name if is_table else index.name
        yield table.name, name, told.get(name) or stat_of(index, table, statistics)
        has_full = has_full or not index.predicate
    if not has_full:
        yield table.name, None, str(_rows(statistics.rows))


def stat_of(index: Index | IndexSpec, table: Table, statistics: TableStatistics) -> str:
    """Return the figures of an index: its entries, then for each prefix of its keys the entries that share one."""
    rows = statistics.rows * predicate_share(index.predicate, table, statistics)
    keys = index_keys(index, table)
    is_unique = index.is_unique
    counts = [_rows(rows)]
    for width in range(1, len(keys) + 1):
        if width == len(keys) and is_unique:
            counts.append(1)
        else:
            distinct = distinct_keys(keys[:width], statistics, table, statistics.rows)
            counts.append(_sharing(rows, distinct_among(distinct, statistics.rows, rows)))
    return " ".join(map(str, counts))


def _sharing(rows: float, distinct: float) -> int:
    """Return how many rows share a key, rounded as ANALYZE rounds: up, except that nearly unique is unique."""
    sharing = -(-_rows(rows) // max(int(distinct), 1))
    return 1 if sharing == 2 and rows * 10 <= distinct * 11 else max(sharing, 1)


def _rows(rows: float) -> int:
    return max(int(rows), 0)


def all_rows(catalog: Catalog, statistics: Statistics, left_out: Collection[str]) -> Iterator[StatRow]:
    """Yield the rows of all tables that are stored, except those that were left out of the copy."""
    for table in catalog.tables:
        if table.holds_rows and table.name not in left_out:
            yield from stat1_rows(table, table_statistics(table, statistics))
