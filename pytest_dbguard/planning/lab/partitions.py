"""Which tables belong together, a partitioned table and its partitions at any depth, and how they grow together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_dbguard.planning.lab.sized_statistics import statistics_at_rows, table_statistics
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog, Table


def family(catalog: Catalog, table: Table) -> list[Table]:
    """Return a table, then its partitions and theirs."""
    found = [table]
    for parent in found:  # grows while it is read
        found += [child for child in catalog.tables if child.partition_of == (parent.schema, parent.name)]
    return found


def families(catalog: Catalog, tables: Iterable[Table]) -> list[Table]:
    """Return tables with their partitions, each once."""
    found = (each for table in tables for each in family(catalog, table))
    return list({(each.schema, each.name): each for each in found}.values())


def scaled(statistics: Statistics, tables: Sequence[Table], rows: float) -> Statistics:
    """Return the statistics with another number of rows of the first of these tables, its partitions in proportion."""
    before = table_statistics(tables[0], statistics).rows
    for table in tables:
        share = table_statistics(table, statistics).rows / before if before > 0 else 1.0
        statistics = statistics_at_rows(statistics, table, rows * share)
    return statistics
