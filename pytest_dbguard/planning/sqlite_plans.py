"""Reads what SQLite's EXPLAIN QUERY PLAN says, of 3.24 and later, into a plan without literals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.sql.tokens import Token, tokens

ROOT: Final = "QUERY PLAN"
"""Text of the node that all others stand below: SQLite's plans have no single top."""

_READ: Final = re.compile(
    r"(?P<verb>SCAN|SEARCH)\ (?:TABLE\ (?P<table>.+?)(?:\ AS\ (?P<alias>.+?))??|(?P<name>.+?))"
    r"(?:\ USING\ (?P<how>(?:AUTOMATIC\ )?(?:PARTIAL\ )?(?:COVERING\ )?INDEX|(?:INTEGER\ )?PRIMARY\ KEY)"
    r"(?:\ (?P<index>(?!\().+?))??)?"
    r"(?:\ \((?P<terms>.*)\))?(?P<virtual>\ VIRTUAL\ TABLE\ INDEX\ -?\d+:.*)?(?P<rest>\ (?:LEFT|RIGHT)-JOIN|\ EXISTS)*",
    re.VERBOSE | re.DOTALL,
)
_NO_TABLE: Final = re.compile(r"(?:SUBQUERY \d+|\(subquery-\d+\)|\(join-\d+\)|\d+ CONSTANT ROWS?|CONSTANT ROW)\b")
_PREPARES: Final = re.compile(r"(?:CO-ROUTINE|MATERIALIZE) (?P<name>.+)")
_VALUES: Final = re.compile(r"SCAN \d+ CONSTANT ROWS?")
_VIRTUAL: Final = re.compile(r"( VIRTUAL TABLE INDEX) .*", re.DOTALL)
_SORTS: Final = re.compile(r"USE TEMP B-TREE FOR (?:.* OF )?ORDER BY")
_FIRST_ENTRY: Final = "first entry"

_BEFORE_TABLE: Final = frozenset({"FROM", "JOIN", "INTO", "UPDATE"})
_NO_ALIAS: Final = frozenset(
    {"WHERE", "ON", "USING", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "GROUP", "ORDER", "HAVING"}
    | {"LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "SET", "VALUES", "SELECT", "RETURNING", "INDEXED", "NOT"}
    | {"WINDOW", "DEFAULT", "FROM", "OUTER"}
)


def parse_sqlite(rows: Iterable[Sequence[object]], sql: str = "") -> Plan:
    """Return the plan that rows of EXPLAIN QUERY PLAN describe: (id, parent, unused, detail).

    SQLite calls a table by its alias only: `SCAN o`. With the statement's text, `Node.table` is the table behind it;
    without it, and where the text does not tell, it is the alias. Subqueries and CTEs are no tables.

    Args:
        rows: As SQLite gives them; further columns are ignored.
        sql: The statement.
    """
    below: dict[int, list[tuple[int, str]]] = {}
    for number, parent, _, detail, *_ in rows:
        below.setdefault(int(str(parent)), []).append((int(str(number)), str(detail)))
    details = [detail for each in below.values() for _, detail in each]
    prepared = frozenset(match["name"] for match in map(_PREPARES.fullmatch, details) if match)
    names = _Names(tables_by_alias(sql), prepared)
    return Plan(Node(Access.OTHER, ROOT, children=tuple(_nodes(0, below, names))))


def tables_by_alias(sql: str) -> Mapping[str, str]:
    """Return the tables that a statement names, by alias, else by name, in small letters.

    An alias that stands for different tables in different queries is left out.
    """
    found = list(tokens(sql))
    tables: dict[str, str] = {}
    unclear: set[str] = set()
    for name, alias in _named(found):
        key = alias.lower()
        if tables.setdefault(key, name) != name:
            unclear.add(key)
    return MappingProxyType({alias: name for alias, name in tables.items() if alias not in unclear})


class _Names:
    """What the names in a plan stand for."""

    def __init__(self, tables: Mapping[str, str], prepared: frozenset[str]) -> None:
        self._tables = tables
        self._prepared = prepared

    def table(self, name: str) -> str:
        """Return the table behind a name; "" for subqueries."""
        if name in self._prepared or _NO_TABLE.match(name):
            return ""
        bare = name.rpartition(".")[2] if name.startswith(("main.", "temp.")) else name
        return self._tables.get(bare.lower(), bare)


def _nodes(parent: int, below: Mapping[int, list[tuple[int, str]]], names: _Names) -> Iterator[Node]:
    for number, detail in below.get(parent, ()):
        children = tuple(_nodes(number, below, names)) if number != parent else ()
        yield _node(detail, children, names)


def _node(detail: str, children: tuple[Node, ...], names: _Names) -> Node:
    read = _READ.fullmatch(detail)
    if read is None:
        return Node(_other_access(detail), _VALUES.sub("SCAN CONSTANT ROWS", detail), children=children)
    how, index = read["how"] or "", read["index"] or ""
    searched = read["terms"] or ("" if read["verb"] == "SCAN" else _FIRST_ENTRY)
    # until 3.35 the table stands before the alias
    alias = read["alias"] or read["table"] or read["name"]
    table = names.table(read["table"] or alias)
    return Node(
        access=_access(read["verb"], how, table, is_virtual=bool(read["virtual"])),
        text=_VALUES.sub("SCAN CONSTANT ROWS", _VIRTUAL.sub(r"\1", detail)),
        table=table,
        alias="" if _NO_TABLE.match(alias) else alias,
        index="" if "AUTOMATIC" in how else index,
        condition=(("Index Cond", searched),) if searched else (),
        children=children,
    )


def _access(verb: str, how: str, table: str, *, is_virtual: bool) -> Access:
    if is_virtual:
        return Access.OTHER
    if "AUTOMATIC" in how:
        return Access.AUTOMATIC_INDEX
    if "COVERING" in how:
        return Access.INDEX_ONLY
    if how:
        return Access.INDEX
    return Access.SEQUENTIAL if table and verb == "SCAN" else Access.OTHER


def _other_access(detail: str) -> Access:
    if _SORTS.fullmatch(detail):
        return Access.SORT
    if "TEMP B-TREE" in detail or detail.startswith("MATERIALIZE "):
        return Access.TEMPORARY
    if "SUBQUERY" in detail and not detail.startswith("LEFT-MOST"):
        return Access.SUBPLAN
    return Access.OTHER


def _named(found: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Yield table and alias (the table again without one) wherever a table may stand."""
    lists = [False]
    for index, token in enumerate(found):
        word = token.text.upper() if token.kind == "word" else token.text
        if word == "(":
            lists.append(lists[-1] and _opens_list(found, index))
        elif word == ")" and len(lists) > 1:
            lists.pop()
        elif token.kind == "word" and word in _BEFORE_TABLE:
            lists[-1] = word != "INTO"
        elif token.kind == "word" and word in _NO_ALIAS and word not in ("LEFT", "INNER", "CROSS", "OUTER"):
            lists[-1] = False
        if (token.kind == "word" and word in _BEFORE_TABLE) or (word in (",", "(") and lists[-1]):
            yield from _table_at(found, index + 1)


def _opens_list(found: Sequence[Token], index: int) -> bool:
    """Whether a parenthesis holds tables, as in `FROM (a JOIN b ON ...)`."""
    before = found[index - 1] if index else None
    return before is not None and (before.text in (",", "(") or before.text.upper() in _BEFORE_TABLE)


def _table_at(found: Sequence[Token], index: int) -> Iterator[tuple[str, str]]:
    if not _is_name(found, index):
        return
    if index + 2 < len(found) and found[index + 1].text == "." and _is_name(found, index + 2):
        index += 2
    name = _bare(found[index])
    after = index + 1
    if after < len(found) and found[after].text.upper() == "AS":
        after += 1
    is_alias = _is_name(found, after) and found[after].text.upper() not in _BEFORE_TABLE
    yield name, _bare(found[after]) if is_alias else name


def _is_name(found: Sequence[Token], index: int) -> bool:
    if index >= len(found) or found[index].kind not in ("word", "quoted"):
        return False
    return found[index].kind == "quoted" or found[index].text.upper() not in _NO_ALIAS


def _bare(token: Token) -> str:
    """Return a name without its quotes."""
    quote = token.text[0]
    return token.text[1:-1].replace(quote * 2, quote) if token.kind == "quoted" else token.text
