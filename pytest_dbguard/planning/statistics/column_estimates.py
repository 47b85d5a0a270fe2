"""Estimates what a planner must know of a column that nobody measured, from its keys, type, checks and name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from pytest_dbguard.planning.statistics.model import ColumnStatistics
from pytest_dbguard.planning.statistics.reference_tables import last_noun
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

_TRUTHS = re.compile(r"^(is|has|was|can|should|needs|allow|allows)_|^(active|enabled|visible|deleted|archived|public)$")
_BY_NOUN: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(("status", "state", "type", "kind", "role", "category", "level", "priority", "severity"), 8.0)
    | dict.fromkeys(("gender", "mode", "phase", "stage", "tier", "method", "channel", "source", "provider"), 8.0)
    | dict.fromkeys(("platform", "visibility", "rating", "flag", "reason", "class", "group", "unit"), 10.0)
    | dict.fromkeys(("currency", "language", "locale", "month", "year", "hour", "version"), 20.0)
    | dict.fromkeys(("country", "timezone", "day", "quantity", "position", "rank", "score", "age", "percent"), 100.0)
    | dict.fromkeys(("email", "token", "uuid", "guid", "slug", "hash", "digest", "username", "login", "sku"), -1.0)
    | dict.fromkeys(("reference", "phone", "url", "uri", "path", "number", "barcode", "isbn", "key", "iban"), -0.9)
)
_BY_TYPE: Mapping[str, float] = MappingProxyType(
    {"smallint": 100.0, "int2": 100.0, "integer": 1000.0, "int": 1000.0, "int4": 1000.0, "bigint": -0.1, "int8": -0.1}
    | {"numeric": -0.1, "decimal": -0.1, "money": -0.1, "real": -0.1, "float": -0.1, "double": -0.1}
    | {"date": 2000.0, "time": -0.1, "timestamp": -0.8, "datetime": -0.8, "interval": -0.1, "uuid": -1.0}
    | {"json": 0.0, "xml": 0.0, "point": 0.0, "jsonb": -0.5, "bytea": -0.5, "blob": -0.5, "tsvector": -0.5}
)
_TEXT_DISTINCT: Final = -0.1
_SHORT_TEXT: Mapping[int, float] = MappingProxyType({1: 5.0, 2: 100.0, 3: 150.0})
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_CHOICES = re.compile(r"\bIN\s*\(|=\s*ANY\s*\(", re.IGNORECASE)


def estimated(column: Column, table: Table, rows: float, referred_rows: Mapping[str, float]) -> ColumnStatistics:
    """Return figures of one column of a table with so many rows.

    Args:
        column: The column.
        table: Its table.
        rows: Of the table.
        referred_rows: By column of a foreign key, how many different values it may hold.
    """
    nulls = null_fraction(column)
    distinct = 0.0 if not rows else _distinct(column, table, rows * (1 - nulls), referred_rows)
    is_numbered = column.is_identity or "nextval(" in column.default
    return ColumnStatistics(
        column.name,
        n_distinct=_as_planner(distinct, rows),
        null_fraction=nulls,
        average_width=width_of(column),
        # rows come in the order of their numbers
        correlation=1.0 if is_numbered else None,
    )


def null_fraction(column: Column) -> float:
    """Return the share of NULLs that is assumed."""
    if not column.nullable or column.is_identity:
        return 0.0
    return _SOFT_DELETED if _SOFT_DELETION.match(column.name.lower()) else _NULLS


def filled(known: ColumnStatistics | None, estimate: ColumnStatistics) -> ColumnStatistics:
    """Return what is known of a column, the rest estimated."""
    if known is None:
        return estimate
    return replace(
        known,
        name=estimate.name,
        n_distinct=known.n_distinct or estimate.n_distinct,
        null_fraction=known.null_fraction if known.null_fraction >= 0 else estimate.null_fraction,
        average_width=known.average_width or estimate.average_width,
    )


def _distinct(column: Column, table: Table, filled_rows: float, referred_rows: Mapping[str, float]) -> float:
    """Return a number of different values among the rows that have one; 0 where the type knows no equality."""
    if (column.name,) in set(table.uniques()):
        return filled_rows
    if column.name in referred_rows:
        return thrown(filled_rows, referred_rows[column.name])
    found = _by_meaning(column, table)
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


def _by_meaning(column: Column, table: Table) -> float:
    """Return a number of values, or, below zero, minus their share of the rows: as numbers in pg_stats are."""
    if column.labels:
        return float(column.labels)
    choices = max(_choices(column, table), default=0)
    if choices:
        return float(choices)
    kind, name = re.split(r"[ (]", column.type.lower())[0], column.name.lower()
    if kind in ("boolean", "bool") or _TRUTHS.search(name):
        return 2.0
    if kind == "uuid" or (name.endswith("_id") and kind != "smallint"):
        return -1.0 if kind == "uuid" and name == "id" else _TEXT_DISTINCT
    if kind in ("date", "time", "timestamp", "timestamptz", "datetime"):
        return _BY_TYPE.get(kind.removesuffix("tz"), -0.8)
    noun = _BY_NOUN.get(last_noun(column.name))
    if noun is not None:
        return noun
    return _by_type(column, kind)


def _by_type(column: Column, kind: str) -> float:
    length = re.search(r"char[^(]*\((\d+)\)", column.type.lower())
    if length:
        return _SHORT_TEXT.get(int(length[1]), _TEXT_DISTINCT)
    return _BY_TYPE.get(kind, _TEXT_DISTINCT)


def _choices(column: Column, table: Table) -> Iterator[int]:
    """Yield the numbers of values that checks on this column alone leave: `CHECK (size IN ('S', 'M'))`."""
    names = {each.name for each in table.columns}
    for check in table.checks:
        bare = _LITERAL.sub("''", check.expression)
        mentioned = {word for word in re.findall(r"\w+", bare) if word in names}
        if mentioned == {column.name} and _CHOICES.search(bare) and " OR " not in bare.upper():
            yield bare.count("''")


def _as_planner(distinct: float, rows: float) -> float:
    if not rows or not distinct:
        return 0.0
    share = distinct / rows
    return -round(min(1.0, share), 6) if share > _GROWING else float(max(1, round(distinct)))
