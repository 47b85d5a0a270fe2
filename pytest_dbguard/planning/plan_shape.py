"""The shape of a plan: what is read how, one line a node, the same at every size and on every machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.planning.sqlite_plans import ROOT

Shape = tuple[str, ...]
"""One line a node, two spaces a level: `  index scan on orders using ix_orders_city`."""

WHOLE: Final = "full "
"""Stands before a scan of an index from end to end."""

_INDENT: Final = "  "
_PLAIN: Final = re.compile(r"\w+(?:\.\w+)*")
_QUOTED: Final = r'"(?:[^"]|"")*"|\S+'
_LINE: Final = re.compile(
    rf"(?P<indent> *)(?P<full>{WHOLE})?(?P<what>.+?)(?: on (?P<table>{_QUOTED}))?(?: using (?P<index>{_QUOTED}))?"
)
_INDEX_READS: Final = frozenset({Access.INDEX, Access.INDEX_ONLY})
_SPOKEN: Final = frozenset({"CO-ROUTINE", "SCAN", "SEARCH", "INDEX", "BLOOM", "RIGHT-JOIN"})
"""First words of what SQLite says with a name or a number behind it."""


@dataclass(frozen=True, slots=True)
class ShapeNode:
    """One line of a shape, read again.

    Attributes:
        depth: Levels below the top.
        text: The line without its indent.
        what: An `Access` in words, or another word.
        is_full: Whether it reads an index from end to end.
        table: The table; "" without one.
        index: The index; "" without one.
    """

    depth: int
    text: str
    what: str
    is_full: bool = False
    table: str = ""
    index: str = ""


def plan_shape(plan: Plan) -> Shape:
    """Return the lines of a plan: accesses, tables and indexes; no costs, rows, conditions or aliases."""
    return tuple(_INDENT * depth + _phrase(node) for depth, node in _nodes(plan.root, 0))


def shape_nodes(shape: Shape) -> tuple[ShapeNode, ...]:
    """Return what lines say that `plan_shape` wrote; a line that it did not write is taken for a word."""
    return tuple(map(_read, shape))


def _nodes(node: Node, depth: int) -> Iterator[tuple[int, Node]]:
    if node.text == ROOT:
        for child in node.children:
            yield from _nodes(child, depth)
        return
    yield depth, node
    for child in node.children:
        yield from _nodes(child, depth + 1)


def _phrase(node: Node) -> str:
    what = _word(node) if node.access is Access.OTHER else str(node.access)
    full = WHOLE if node.access in _INDEX_READS and node.is_whole else ""
    table = node.table if node.schema in ("", "public") or not node.table else f"{node.schema}.{node.table}"
    on = f" on {_quoted(table)}" if table else ""
    using = f" using {_quoted(node.index)}" if node.index else ""
    return f"{full}{what}{on}{using}"


def _word(node: Node) -> str:
    """Return what else a node does, without the names and numbers of what has none of its own."""
    first = node.text.partition(" ")[0]
    if first in _SPOKEN:
        return first.lower()
    return re.split(r" (?:on|using) ", node.text, maxsplit=1)[0].lower()


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _read(line: str) -> ShapeNode:
    match = _LINE.fullmatch(line)
    if match is None:
        return ShapeNode(0, line.strip(), line.strip())
    return ShapeNode(
        depth=len(match["indent"]) // len(_INDENT),
        text=line.strip(),
        what=match["what"],
        is_full=bool(match["full"]),
        table=_bare(match["table"] or ""),
        index=_bare(match["index"] or ""),
    )


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
