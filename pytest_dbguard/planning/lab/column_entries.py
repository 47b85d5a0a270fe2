"""Lists which statistics belong to which column of a lab: of tables, of partitioned ones, of expressions in indexes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pytest_dbguard.planning.lab.distinct_values import index_keys
from pytest_dbguard.planning.lab.sized_statistics import table_statistics
from pytest_dbguard.planning.statistics.model import ColumnStatistics, IndexStatistics, Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Catalog, Index, RelationKind, Table

# what such an expression returns has about as many values as the column in it
_KEEPS_VALUES = re.compile(
    r"^\(*(lower|upper|btrim|ltrim|rtrim|trim|coalesce|casefold|unaccent|md5|\(?\w+\)?::text)\b", re.I
)


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """Statistics of one column.

    Attributes:
        schema: Of the relation.
        relation: The table, or the index of an expression.
        column: The column's name; "" for an expression.
        number: Number of the expression's key, from 1; 0 for a column of a table.
        is_inherited: Whether they are of a partitioned table with its partitions.
        statistics: What is known.
    """

    schema: str
    relation: str
    column: str
    number: int
    is_inherited: bool
    statistics: ColumnStatistics


def column_entries(catalog: Catalog, statistics: Statistics) -> Iterator[ColumnEntry]:
    """Yield what is known of the columns of all tables, and of the expressions in their indexes."""
    for table in catalog.tables:
        if table.holds_rows or table.kind is RelationKind.PARTITIONED:
            known = table_statistics(table, statistics)
            is_inherited = table.kind is RelationKind.PARTITIONED
            names = {column.name for column in table.columns}
            for column in known.columns:
                if column.name in names:
                    yield ColumnEntry(table.schema, table.name, column.name, 0, is_inherited, column)
            if table.holds_rows:
                for index in table.indexes:
                    yield from _of_expressions(index, table, known)


def _of_expressions(index: Index, table: Table, known: TableStatistics) -> Iterator[ColumnEntry]:
    told = next((each for each in known.indexes if each.name == index.name), IndexStatistics(index.name, table.name))
    by_number = {column.name: column for column in told.columns}
    for number, (key, columns) in enumerate(zip(index.keys, index_keys(index, table), strict=True), 1):
        if key.column is None:
            found = by_number.get(str(number)) or _guessed(key.expression, columns, known)
            if found is not None:
                yield ColumnEntry(table.schema, index.name, "", number, False, found)


def _guessed(expression: str, columns: tuple[str, ...], known: TableStatistics) -> ColumnStatistics | None:
    """Return the figures of the column in an expression that nobody measured, where they may be taken for its own."""
    column = known.column(columns[0]) if len(columns) == 1 else None
    if column is None or not _KEEPS_VALUES.match(expression):
        return None
    return replace(column, correlation=None, slots=())
