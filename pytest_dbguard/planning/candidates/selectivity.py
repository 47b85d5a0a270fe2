"""Which columns hold so few different values that an index on them alone leaves most of the table to read."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from pytest_dbguard.planning.candidates.column_types import Family, family_of
from pytest_dbguard.planning.statistics.model import Origin, TableStatistics
from pytest_dbguard.schema.catalog import Column, Dialect, Table

FEW = 10
"""Different values up to which an equality alone asks for no index."""

FEW_REFERRED = 20
"""The same for keys of tables that are taken for lists of states or kinds: how many they hold is a guess."""

SMALL_TABLE_ROWS = 500
"""Rows below which reading the whole table is no worse than an index; measured break-evens lie near 360."""

MANY_ROWS = 1_000
"""Rows that an index leaves to be sorted or filtered before that is worth telling, by production's statistics."""

_NAMES = re.compile(
    r"^(is|has|can|allow|allows|enable|should)_|"
    r"(^|_)(status|state|type|kind|role|level|priority|severity|gender|sex|tier|stage|phase|visibility|flag)$|"
    r"(^|_)(active|enabled|disabled|deleted|archived|published|verified|visible|hidden|draft|processed|read|public)$"
)
_STATES = re.compile(r"(^|_)(status|state|stage|phase|flag)$|^(is|has)_")


def is_small(statistics: TableStatistics | None) -> bool:
    """Whether a table is known to be so small that no index pays."""
    return statistics is not None and statistics.rows < SMALL_TABLE_ROWS


def holds_few(table: Table, column: Column, statistics: TableStatistics | None, dialect: Dialect) -> bool:
    """Whether a column holds at most some ten different values.

    Production's figures decide where they are known. Else the type does, then the model's figure or the name, unless
    the column stands in an index already: whoever put a kind there knows that it tells rows apart. States change, and
    stand in indexes for the sake of the few that are left to do.
    """
    figure = statistics.column(column.name) if statistics is not None else None
    distinct = figure.distinct(statistics.rows) if figure is not None and statistics is not None else 0.0
    if distinct and statistics is not None and statistics.origin is Origin.PRODUCTION:
        return distinct <= FEW
    family = family_of(column, dialect)
    if family in (Family.BOOLEAN, Family.ENUM):
        return column.labels <= FEW
    is_known = any(column.name in index.columns for index in table.indexes) and not _STATES.search(column.name.lower())
    if family is Family.TEMPORAL or is_known:
        return False
    is_key = any(column.name in key.columns for key in table.foreign_keys)
    return distinct <= (FEW_REFERRED if is_key else FEW) if distinct else is_named_few(column)


def is_named_few(column: Column) -> bool:
    """Whether people call such a column a status, a kind, a flag."""
    return bool(_NAMES.search(column.name.lower()))


def holds_few_by_type(column: Column, statistics: TableStatistics | None, dialect: Dialect) -> bool:
    """Whether even an existing index on a column finds too much: two values, or few by production's figures."""
    figure = statistics.column(column.name) if statistics is not None else None
    if figure is not None and statistics is not None and statistics.origin is Origin.PRODUCTION:
        distinct = figure.distinct(statistics.rows)
        if distinct:
            return distinct <= FEW
    return family_of(column, dialect) is Family.BOOLEAN


def rows_alike(columns: Sequence[Column], statistics: TableStatistics | None) -> float:
    """Return how many rows share their values in all of these columns; guessed by their names where nobody knows."""
    if statistics is None:
        return math.inf if all(is_named_few(column) for column in columns) else 0.0
    figures = [statistics.column(column.name) for column in columns]
    distinct = [figure.distinct(statistics.rows) if figure is not None else 0.0 for figure in figures]
    return statistics.rows / math.prod(distinct) if all(distinct) else 0.0


def rows_for_each(column: Column, statistics: TableStatistics | None) -> float:
    """Return the rows that one value of a column finds by production's statistics; 0 where nobody counted them."""
    figure = statistics.column(column.name) if statistics is not None else None
    if figure is None or statistics is None or statistics.origin is not Origin.PRODUCTION:
        return 0.0
    distinct = figure.distinct(statistics.rows)
    return statistics.rows / distinct if distinct else 0.0
