"""Tells how many bytes columns take, and where PostgreSQL aligns them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import MappingProxyType

from pytest_dbguard.planning.statistics.model import TableStatistics
from pytest_dbguard.schema.catalog import Column, Table

_MODIFIER = re.compile(r"\s*\(([\d\s,]*)\)")
# bytes and alignment of types of fixed length; names as format_type writes them
_FIXED = MappingProxyType(
    {
        "boolean": (1, 1),
        '"char"': (1, 1),
        "smallint": (2, 2),
        "integer": (4, 4),
        "bigint": (8, 8),
        "real": (4, 4),
        "double precision": (8, 8),
        "money": (8, 8),
        "date": (4, 4),
        "timestamp without time zone": (8, 8),
        "timestamp with time zone": (8, 8),
        "time without time zone": (8, 8),
        "time with time zone": (12, 8),
        "interval": (16, 8),
        "uuid": (16, 1),
        "oid": (4, 4),
        "xid8": (8, 8),
        "macaddr": (6, 4),
        "macaddr8": (8, 4),
        "name": (64, 1),
        "point": (16, 8),
        "box": (32, 8),
        "lseg": (32, 8),
        "circle": (24, 8),
        "line": (24, 8),
    }
)
_ENUM = (4, 4)
# bytes of a value of a type without a fixed length, where nothing else is known
_GUESSED = MappingProxyType({"numeric": 8, "inet": 7, "cidr": 7, "text": 32})
_GUESS = 32
# a value of at most 126 bytes has a header of one byte and needs no alignment
_SHORT = 127
_TOASTED = 2032
_POINTER = 18


def width_and_alignment(column: Column, statistics: TableStatistics) -> tuple[float, int]:
    """Return the mean bytes of a value that is not NULL, and the multiple at which it begins."""
    name = _MODIFIER.sub("", column.type).strip().lower()
    fixed = _ENUM if column.labels else _FIXED.get(name)
    if fixed is not None:
        return fixed
    known = statistics.column(column.name)
    width = float(known.average_width) if known is not None and known.average_width > 0 else _guess(column.type, name)
    if width > _TOASTED:
        return _POINTER, 1
    return width, 1 if width < _SHORT else 4


def varying_width(column: Column, statistics: TableStatistics) -> float:
    """Return the mean bytes of a value that may be shorter or longer; 0 where all values take the same."""
    name = _MODIFIER.sub("", column.type).strip().lower()
    if column.labels or name in _FIXED or name in ("character", "char"):
        return 0.0
    return width_and_alignment(column, statistics)[0]


def _guess(declared: str, name: str) -> float:
    """Return what the planner guesses of a type that nobody measured."""
    length = _MODIFIER.search(declared)
    if length is None or not name.startswith(("character", "varchar", "char", "bit")):
        return _GUESSED.get(name, _GUESS)
    longest = int(length[1].split(",")[0] or 1)
    if name in ("character", "char") or longest <= _GUESS:
        return longest + 1
    return _GUESS + (min(longest, 1000) - _GUESS) / 2


def row_bytes(columns: Iterable[Column], statistics: TableStatistics) -> float:
    """Return the mean bytes of some columns one after the other, gaps included."""
    place = 0.0
    for column in columns:
        width, alignment = width_and_alignment(column, statistics)
        known = statistics.column(column.name)
        nulls = known.null_fraction if known is not None else 0.0
        # among rows of which some are shorter a gap of half the alignment is as good a guess as any
        start = _aligned(place, alignment) if place.is_integer() else place + (alignment - 1) / 2
        place += (start - place + width) * (1 - nulls)
    return place


def _aligned(place: float, alignment: int) -> float:
    return -(-place // alignment) * alignment


def may_be_null(names: Iterable[str], statistics: TableStatistics, table: Table) -> float:
    """Return the share of the rows in which at least one of some columns is NULL."""
    filled = 1.0
    for name in names:
        known, column = statistics.column(name), table.column(name)
        if known is not None and column is not None and column.nullable:
            filled *= 1 - known.null_fraction
    return 1 - filled
