"""Tells from source whether a call asks for its rows in portions by an option: `execution_options(yield_per=100)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pytest_dbguard.analysis.source_trees import SourceTree

YIELD_PER = "yield_per"
"""What the methods of such a call hold, whichever way it asks."""

_OPTIONS = frozenset({YIELD_PER, "stream_results", "max_row_buffer"})


def asks_for_portions(call: ast.Call, tree: SourceTree) -> bool:
    """Whether an option stands in a call, or in what a name that it is given was made of in the same function."""
    found = list(_names_an_option(call))
    given = (each for node in ast.walk(call) if isinstance(node, ast.Name) for each in tree.given(node))
    return any(found) or any(option for each in given if each.value is not None for option in _names_an_option(each))


def _names_an_option(node: ast.AST) -> Iterator[bool]:
    for part in ast.walk(node):
        if isinstance(part, ast.keyword) and part.arg in _OPTIONS:
            yield not (isinstance(part.value, ast.Constant) and not part.value.value)
        elif isinstance(part, ast.Dict):
            yield any(isinstance(key, ast.Constant) and key.value in _OPTIONS for key in part.keys)
        elif isinstance(part, ast.Attribute) and part.attr == YIELD_PER:
            # Query.yield_per, on a query that has a name
            yield True
