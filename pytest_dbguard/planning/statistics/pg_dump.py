"""Reads the output of `pg_dump --statistics-only`, PostgreSQL 18 and later.

The file calls pg_restore_relation_stats and pg_restore_attribute_stats with pairs of names and values. It holds values
of rows; those are dropped while it is read, unless they are asked for. It tells neither which relations are indexes,
nor heights, extended statistics, the collation or settings: `dbguard stats export URL` knows all of that.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.planning.statistics.model import ColumnStatistics, Origin, Statistics, TableStatistics
from pytest_dbguard.planning.statistics.slots import slots_of

_TOKEN = re.compile(
    r"""(?P<string>E?'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*')|(?P<comment>--[^\n]*)|(?P<word>\w+)|(?P<other>[^\s\w])""",
    re.DOTALL,
)
_PLAIN_STRING = re.compile(r"'(?:[^']|'')*'")
_RELATION: Final = "pg_restore_relation_stats"
_ATTRIBUTE: Final = "pg_restore_attribute_stats"
_VERSION = re.compile(r"^-- Dumped from database version (\S+)", re.MULTILINE)


def is_pg_dump(text: str) -> bool:
    """Whether a text is what pg_dump writes."""
    return f"{_RELATION}(" in text and not text.lstrip().startswith("{")


@dataclass(slots=True)
class _Relation:
    """What the calls say of one relation."""

    rows: float = 0.0
    pages: int = 0
    visible: int = 0
    columns: dict[tuple[str, bool], ColumnStatistics] = field(default_factory=dict)
    has_numbered: bool = False


def statistics_of_pg_dump(text: str, *, values: bool = False, source: str = "pg_dump") -> Statistics:
    """Return what the file says; values of rows only where they are asked for.

    Relations without columns, and those whose columns are numbered as the keys of an index are, become `loose`.

    Raises:
        ConfigError: When a call cannot be understood; names its line.
    """
    relations: dict[tuple[str, str], _Relation] = defaultdict(_Relation)
    for function, line, arguments in _calls(text):
        key = (arguments.get("schemaname", ""), arguments.get("relname", ""))
        if not key[1]:
            raise ConfigError(f"{source}:{line}: {function} without a relation: not what pg_dump 18 writes")
        try:
            _take(relations[key], function, arguments, values=values)
        except ValueError as error:
            raise ConfigError(f"{source}:{line}: {function}: a number is no number") from error
    found = {key: _table(key, relation) for key, relation in relations.items()}
    loose = {key for key, relation in relations.items() if relation.has_numbered or not relation.columns}
    version = _VERSION.search(text)
    return Statistics(
        tuple(found[key] for key in sorted(found) if key not in loose),
        origin=Origin.PRODUCTION,
        source=source,
        dialect="postgresql",
        version=version[1] if version else "",
        has_values=values,
        loose=tuple(found[key] for key in sorted(loose)),
    )


def _take(relation: _Relation, function: str, arguments: dict[str, str], *, values: bool) -> None:
    if function == _RELATION:
        # below zero: never analysed, or a partitioned table, which has no pages
        relation.rows = max(0.0, float(arguments.get("reltuples", "0")))
        relation.pages = max(0, int(arguments.get("relpages", "0")))
        relation.visible = max(0, int(arguments.get("relallvisible", "0")))
        return
    number = arguments.get("attnum")
    relation.has_numbered = relation.has_numbered or number is not None
    name = number or arguments.get("attname", "")
    correlation = arguments.get("correlation")
    relation.columns[name, arguments.get("inherited", "f").startswith("t")] = ColumnStatistics(
        name,
        n_distinct=float(arguments.get("n_distinct", "0")),
        null_fraction=float(arguments.get("null_frac", "0")),
        average_width=int(arguments.get("avg_width", "0")),
        correlation=None if correlation is None else float(correlation),
        slots=slots_of(arguments) if values else (),
    )


def _table(key: tuple[str, str], relation: _Relation) -> TableStatistics:
    # of a parent's two kinds of statistics, those of its own rows
    columns = {
        name: column for (name, inherited), column in sorted(relation.columns.items(), key=lambda e: not e[0][1])
    }
    return TableStatistics(
        *key,
        relation.rows,
        relation.pages,
        relation.visible,
        columns=tuple(columns[name] for name in sorted(columns)),
        origin=Origin.PRODUCTION,
    )


def _calls(text: str) -> Iterator[tuple[str, int, dict[str, str]]]:
    """Yield name, line and arguments of each call of the two functions."""
    tokens = _tokens(text)
    for kind, token, place in tokens:
        if kind == "word" and token in (_RELATION, _ATTRIBUTE):
            yield token, text.count("\n", 0, place) + 1, _arguments(tokens)


def _arguments(tokens: Iterator[tuple[str, str, int]]) -> dict[str, str]:
    """Read up to the closing bracket, and return the pairs; casts are skipped."""
    read: list[str] = []
    depth, is_first = 0, True
    for kind, text, _ in tokens:
        mark = text if kind == "other" else ""
        depth += {"(": 1, ")": -1}.get(mark, 0)
        if mark == ")" and not depth:
            break
        if mark == "," and depth == 1:
            is_first = True
        elif is_first and mark != "(":
            read.append(_unquoted(text) if kind == "string" else text)
            is_first = False
    pairs = zip(read[::2], read[1::2], strict=False)
    return {name: value for name, value in pairs if value.upper() != "NULL"}


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    place = 0
    while found := _TOKEN.search(text, place):
        kind, token = found.lastgroup or "", found[0]
        if kind == "string" and not token.startswith("E"):
            # a backslash means nothing in a plain string
            plain = _PLAIN_STRING.match(text, found.start())
            token = plain[0] if plain else token
        place = found.start() + len(token)
        if kind != "comment":
            yield kind, token, found.start()


def _unquoted(token: str) -> str:
    if token.startswith("E"):
        return re.sub(r"\\(.)|''", lambda found: found[1] or "'", token[2:-1], flags=re.DOTALL)
    return token[1:-1].replace("''", "'")
