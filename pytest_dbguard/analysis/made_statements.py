"""Tells from source how the statement that a call sends was made: with rows in portions, with some that are skipped.

A text does not tell either: options are no part of it, and SQLAlchemy writes OFFSET beside each LIMIT for SQLite.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pytest_dbguard.analysis.source_trees import SourceTree

YIELD_PER, OFFSET = "yield_per", "offset"
"""What the methods of such a call hold, whichever way it says so."""

_PORTIONS = frozenset({YIELD_PER, "stream_results", "max_row_buffer"})
_SKIPS = frozenset({OFFSET, "slice", "paginate"})


def making_of(call: ast.Call, tree: SourceTree) -> tuple[str, ...]:
    """Return which of them a call, or what a name that it is given was made of in the same function, says."""
    given = (each.value for node in ast.walk(call) if isinstance(node, ast.Name) for each in tree.given(node))
    found = {word for node in (call, *given) if node is not None for word in _words(node)}
    return tuple(sorted(found))


def _words(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.keyword) and part.arg in _PORTIONS:
            if not isinstance(part.value, ast.Constant) or part.value.value:
                yield YIELD_PER
        elif isinstance(part, ast.Dict):
            if any(isinstance(key, ast.Constant) and key.value in _PORTIONS for key in part.keys):
                yield YIELD_PER
        elif isinstance(part, ast.Call):
            name = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
            if name == YIELD_PER or name in _SKIPS:
                yield YIELD_PER if name == YIELD_PER else OFFSET
