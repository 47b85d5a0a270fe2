"""Guesses how many different values a column holds from its type, its checks and the words of its name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pytest_dbguard.planning.statistics.reference_tables import words_of
from pytest_dbguard.schema.catalog import Column, Table

_TRUTHS = re.compile(r"^(is|has|was|can|should|needs|allow|allows)_|^(active|enabled|visible|deleted|archived|public)$")
_FEW_NOUNS: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(("status", "state", "type", "kind", "role", "category", "level", "priority", "severity"), 8.0)
    | dict.fromkeys(("gender", "mode", "phase", "stage", "tier", "method", "channel", "source", "provider"), 8.0)
    | dict.fromkeys(("segment", "platform", "visibility", "rating", "flag", "reason", "class", "group", "unit"), 8.0)
    | dict.fromkeys(("currency", "language", "locale", "month", "year", "hour", "version", "size", "color"), 20.0)
    | dict.fromkeys(("brand", "country", "region", "timezone", "day", "quantity", "position", "rank", "score"), 100.0)
    | dict.fromkeys(("age", "percent", "discount", "count"), 100.0)
)
_MANY_NOUNS: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(("email", "token", "uuid", "guid", "slug", "hash", "digest", "username", "login", "sku"), -1.0)
    | dict.fromkeys(("reference", "phone", "url", "uri", "path", "number", "barcode", "isbn", "key", "iban"), -0.9)
    | dict.fromkeys(("title", "name", "label", "code"), -0.5)
)
_COMPOUNDS: Final = (
    "status",
    "type",
    "mode",
    "category",
    "priority",
    "flag",
    "segment",
    "method",
    "currency",
    "country",
)
"""Nouns that also end longer words, such as "shipmode"."""
_PEOPLE: Final = frozenset({"first", "last", "middle", "given", "family", "sur", "fore"})
_NAMES_OF_PEOPLE: Final = 5000.0
_NAMING: Final = frozenset({"name", "title", "label", "code"})
_SMALL: Final = 500
"""Rows up to which nothing is named twice."""

_BY_TYPE: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(("smallint", "tinyint", "int2", "integer", "int", "int4", "mediumint"), 100.0)
    | dict.fromkeys(("bigint", "int8", "numeric", "decimal", "money", "real", "float", "double", "interval"), -0.1)
    | {"date": 2000.0, "time": -0.1, "timestamp": -0.8, "timestamptz": -0.8, "datetime": -0.8, "uuid": -0.5}
    | {"json": 0.0, "xml": 0.0, "point": 0.0, "jsonb": -0.5, "bytea": -0.5, "blob": -0.5, "tsvector": -0.5}
)
_DATES: Final = frozenset({"date", "time", "timestamp", "timestamptz", "datetime"})
_OTHERS: Final = -0.1
_SHORT_TEXT: Mapping[int, float] = MappingProxyType({1: 5.0, 2: 100.0, 3: 150.0})
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_CHOICES = re.compile(r"\bIN\s*\(|=\s*ANY\s*\(", re.IGNORECASE)


def values_by_meaning(column: Column, table: Table, rows: float) -> float:
    """Return a number of values, or, below zero, minus their share of the rows, as numbers in pg_stats are.

    0 stands for types that know no equality. Where nothing tells, a value has ten rows; whole numbers are few.
    """
    told = column.labels or max(_choices(column, table), default=0)
    if told:
        return float(told)
    kind, words = re.split(r"[ (]", column.type.lower())[0], words_of(column.name)
    if kind in ("boolean", "bool") or _TRUTHS.search(column.name.lower()):
        return 2.0
    if kind in _DATES or kind == "uuid":
        return _BY_TYPE[kind]
    if words[-1:] == ["id"]:
        return _OTHERS
    return _by_words(words, rows) or _by_type(column, kind)


def _by_words(words: list[str], rows: float) -> float | None:
    if words[-1:] == ["code"] and words[-2:-1] and words[-2] in _FEW_NOUNS:
        return _FEW_NOUNS[words[-2]]
    noun = words[-1] if words else ""
    if noun in _NAMING and rows <= _SMALL:
        return -1.0
    if noun in ("name", "firstname", "lastname", "surname") and (_PEOPLE & set(words) or noun != "name"):
        return _NAMES_OF_PEOPLE
    ending = next((each for each in _COMPOUNDS if noun.endswith(each)), "")
    return _FEW_NOUNS.get(noun) or _MANY_NOUNS.get(noun) or _FEW_NOUNS.get(ending)


def _by_type(column: Column, kind: str) -> float:
    length = re.search(r"char[^(]*\((\d+)\)", column.type.lower())
    if length:
        return _SHORT_TEXT.get(int(length[1]), _OTHERS)
    return _BY_TYPE.get(kind, _OTHERS)


def _choices(column: Column, table: Table) -> Iterator[int]:
    """Yield the numbers of values that checks on this column alone leave: `CHECK (size IN ('S', 'M'))`."""
    names = {each.name for each in table.columns}
    for check in table.checks:
        bare = _LITERAL.sub("''", check.expression)
        mentioned = {word for word in re.findall(r"\w+", bare) if word in names}
        if mentioned == {column.name} and _CHOICES.search(bare) and " OR " not in bare.upper():
            yield bare.count("''")
