"""Sorts relations of a pg_dump file into tables and indexes: the file does not tell which is which, a catalog does."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from pytest_dbguard.planning.statistics.model import IndexStatistics, Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Catalog


def sorted_in(statistics: Statistics, catalog: Catalog) -> Statistics:
    """Return statistics whose loose relations are tables, or indexes of tables, as the catalog has them."""
    if not statistics.loose:
        return statistics
    owners = {(table.schema, index.name): table.name for table in catalog.tables for index in table.indexes}
    names = {(table.schema, table.name) for table in catalog.tables}
    tables = {(table.schema, table.name): table for table in statistics.tables}
    indexes: dict[tuple[str, str], list[IndexStatistics]] = defaultdict(list)
    for relation in statistics.loose:
        key = (relation.schema, relation.name)
        if key in names:
            tables.setdefault(key, relation)
        elif key in owners:
            indexes[relation.schema, owners[key]].append(_as_index(relation, owners[key]))
    placed = [replace(table, indexes=(*table.indexes, *indexes[key])) for key, table in sorted(tables.items())]
    return replace(statistics, tables=tuple(placed), loose=())


def _as_index(relation: TableStatistics, table: str) -> IndexStatistics:
    return IndexStatistics(relation.name, table, relation.pages, relation.rows, columns=relation.columns)
