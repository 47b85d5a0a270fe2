"""Estimates what a planner must know of a column that nobody measured, from its keys, type, checks and name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from pytest_dbguard.planning.statistics.column_meanings import values_by_meaning
from pytest_dbguard.planning.statistics.model import ColumnStatistics
from pytest_dbguard.planning.statistics.widths import width_of
from pytest_dbguard.schema.catalog import Column, Table

_SOFT_DELETION = re.compile(r"^(deleted|removed|archived|trashed|purged|banned|revoked)(_(at|on|by|date|time))?$")
_SOFT_DELETED: Final = 0.95
_NULLS: Final = 0.5
"""Share of NULLs where they are allowed: as much as keeps `IS NULL` from looking selective, which nobody knows."""
_GROWING: Final = 0.1
"""From this share of the rows on, PostgreSQL takes a number of values to grow with the table."""

_FEW: Final = 10.0
_SPREAD: Final = 3.0
"""The longest series of numbers against the average one."""


def completed_column(
    known: ColumnStatistics | None, column: Column, table: Table, rows: float, referred_rows: Mapping[str, float]
) -> ColumnStatistics:
    """Return figures of one column of a table with so many rows: what is known, the rest estimated.

    Args:
        known: What somebody measured or declared of it.
        column: The column.
        table: Its table.
        rows: Of the table.
        referred_rows: By column of a foreign key, how many different values it may hold.
    """
    given = known or ColumnStatistics(column.name, null_fraction=-1.0)
    nulls = given.null_fraction if given.null_fraction >= 0 else null_fraction(column)
    distinct = 0.0 if not rows or given.n_distinct else _distinct(column, table, rows * (1 - nulls), referred_rows)
    is_numbered = column.is_identity or "nextval(" in column.default
    return replace(
        given,
        name=column.name,
        n_distinct=given.n_distinct or _as_planner(distinct, rows),
        null_fraction=nulls,
        average_width=given.average_width or width_of(column),
        # rows come in the order of their numbers
        correlation=1.0 if given.correlation is None and known is None and is_numbered else given.correlation,
    )


def null_fraction(column: Column) -> float:
    """Return the share of NULLs that is assumed."""
    if not column.nullable or column.is_identity:
        return 0.0
    return _SOFT_DELETED if _SOFT_DELETION.match(column.name.lower()) else _NULLS


def _distinct(column: Column, table: Table, filled_rows: float, referred_rows: Mapping[str, float]) -> float:
    """Return a number of different values among the rows that have one; 0 where the type knows no equality."""
    if (column.name,) in set(table.uniques()):
        return filled_rows
    if column.name in referred_rows:
        return thrown(filled_rows, referred_rows[column.name])
    found = values_by_meaning(column, table, filled_rows)
    told = -found * filled_rows if found < 0 else found
    return min(filled_rows, told, *_numbers_within(column, table, filled_rows, referred_rows))


def of_stat(name: str, stat: str, rows: float) -> ColumnStatistics | None:
    """Return what SQLite's `stat` text of a full index tells of its first column: entries, then rows for each value."""
    parts = [int(part) for part in stat.split() if part.isdecimal()]
    if len(parts) < 2 or not parts[1]:
        return None
    return ColumnStatistics(name, n_distinct=_as_planner(parts[0] / parts[1], rows), null_fraction=-1.0)


def thrown(balls: float, bins: float) -> float:
    """Return how many of so many bins hold a ball when each is thrown into any of them."""
    return bins * -math.expm1(-balls / bins) if bins else 0.0


def _numbers_within(
    column: Column, table: Table, filled_rows: float, referred_rows: Mapping[str, float]
) -> Iterator[float]:
    """Yield the numbers of values of a whole number that counts within others: the lines of each order."""
    if not column.type.lower().startswith(("int", "smallint", "bigint")):
        return
    for unique in table.uniques():
        others = [name for name in unique if name != column.name]
        if others != list(unique) and others and all(name in referred_rows for name in others):
            yield max(_FEW, _SPREAD * filled_rows / math.prod(referred_rows[name] for name in others))


def _as_planner(distinct: float, rows: float) -> float:
    if not rows or not distinct:
        return 0.0
    share = distinct / rows
    return -round(min(1.0, share), 6) if share > _GROWING else float(max(1, round(distinct)))
