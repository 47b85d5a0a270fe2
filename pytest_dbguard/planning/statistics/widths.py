"""Average sizes of values by type, and the pages that rows of such columns fill: estimates where nobody measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from pytest_dbguard.planning.statistics.model import ColumnStatistics
from pytest_dbguard.schema.catalog import Column, Table

PAGE_SIZE: Final = 8192
_PAGE_HEADER = 24
_ROW_HEADER = 23
_LINE_POINTER = 4
_ALIGNED = 8

_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "boolean": 1, "bool": 1, "smallint": 2, "tinyint": 2, "int2": 2, "integer": 4, "int": 4, "mediumint": 4,
        "int4": 4, "bigint": 8, "int8": 8, "real": 4, "float": 8, "float4": 4, "float8": 8, "double": 8,
        "numeric": 7, "decimal": 7, "money": 8, "date": 4, "time": 8, "timestamp": 8, "datetime": 8, "timestamptz": 8,
        "interval": 16, "uuid": 16, "inet": 10, "cidr": 10, "macaddr": 6, "point": 16, "json": 200, "jsonb": 200,
        "xml": 200, "tsvector": 200, "bytea": 100, "blob": 100, "geometry": 48, "geography": 48, "hstore": 60,
    }
)  # fmt: skip
_ENUM = 4
_ARRAY = 50
_TEXT = 32
_LONG_TEXT = 200
_LONG_NAMES = re.compile(
    r"(^|_)(body|content|contents|text|html|markdown|description|notes?|comments?|bio|summary|message|payload|data|raw)$"
)
_LENGTH = re.compile(r"\((\d+)")
_CHARACTER = re.compile(r"^(n?var)?char|^n?char|^character|^citext|^text|^n?text|^string|^clob")


def width_of(column: Column) -> int:
    """Return the average size of a column's values in bytes, estimated from its type and name; at least 1."""
    kind = column.type.lower()
    if column.labels:
        return _ENUM
    if kind.endswith("[]"):
        return _ARRAY
    if _CHARACTER.match(kind):
        return _text_width(column, kind)
    vector = re.match(r"(?:half)?vector\((\d+)\)", kind)
    if vector:
        return 4 * int(vector[1]) + 8
    return _BYTES.get(re.split(r"[ (]", kind)[0], _TEXT)


def _text_width(column: Column, kind: str) -> int:
    length = _LENGTH.search(kind)
    if kind.startswith("char") and "var" not in kind and length:
        return int(length[1]) + 1
    usual = _LONG_TEXT if _LONG_NAMES.search(column.name.lower()) else _TEXT
    # short limits are mostly used up, long ones hardly ever
    return min(usual, max(2, (int(length[1]) * 2) // 3 + 1)) if length else usual


def heap_pages(table: Table, columns: Iterable[ColumnStatistics], rows: float) -> int:
    """Return the pages of 8 192 bytes that so many rows fill in PostgreSQL, freshly written."""
    if not rows:
        return 0
    bitmap = (len(table.columns) + 7) // 8 if any(column.nullable for column in table.columns) else 0
    data = sum(column.average_width * (1 - column.null_fraction) for column in columns)
    row = _aligned(_ROW_HEADER + bitmap) + _aligned(round(data)) + _LINE_POINTER
    per_page = max(1, int((PAGE_SIZE - _PAGE_HEADER) * _fill_factor(table) // row))
    return max(1, -(-round(rows) // per_page))


def _aligned(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED


def _fill_factor(table: Table) -> float:
    found = (option.partition("=")[2] for option in table.options if option.startswith("fillfactor="))
    return int(next(found, "100")) / 100
