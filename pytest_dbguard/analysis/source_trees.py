"""The syntax tree of one file: what stands at a place, what stands around it, and what names are bound to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from pytest_dbguard.core.findings import Site

MAX_BYTES = 2_000_000
"""Larger files are written by machines."""
_WRAPPERS = frozenset({"text", "TextClause", "DDL", "dedent", "cleandoc", "strip", "format", "join", "literal_column"})
Assignment = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr
_Scopes = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
_Functions = ast.FunctionDef | ast.AsyncFunctionDef
Span = tuple[int, int, int, int]


class SourceTree:
    """One file that was parsed."""

    def __init__(self, text: str) -> None:
        """Parse a text.

        Raises:
            SyntaxError: It is no Python.
        """
        self.module = ast.parse(text)
        self._lines = text.splitlines()

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.module) for child in ast.iter_child_nodes(node)}

    @cached_property
    def _by_span(self) -> dict[Span, ast.expr]:
        """Return the outermost expression of each span that may be a call."""
        found: dict[Span, ast.expr] = {}
        for node in ast.walk(self.module):
            if isinstance(node, ast.Call | ast.Await):
                found.setdefault(_span(node), node)
        return found

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return what stands directly around a node."""
        return self._parents.get(node)

    def function(self, node: ast.AST) -> ast.AST:
        """Return the function around a node, or the module."""
        around = self.parent(node)
        while around is not None and not isinstance(around, _Functions | ast.Lambda):
            around = self.parent(around)
        return around or self.module

    def given(self, name: ast.Name) -> list[Assignment]:
        """Return what gives a name its values: in its function, else in those around, else in the module.

        () where it may have others: as an argument, as a target of a loop.
        """
        scope: ast.AST | None = name
        while scope is not None and not isinstance(scope, ast.Module):
            scope = self.function(scope)
            if isinstance(scope, _Functions | ast.Lambda):
                arguments = scope.args
                named = (
                    *arguments.posonlyargs,
                    *arguments.args,
                    *arguments.kwonlyargs,
                    arguments.vararg,
                    arguments.kwarg,
                )
                if any(each is not None and each.arg == name.id for each in named):
                    return []
            found = assignments(scope, name.id)
            stores = [node for node in _own(scope) if isinstance(node, ast.Name) and node.id == name.id]
            if any(not isinstance(node.ctx, ast.Load) for node in stores):
                is_known = sum(not isinstance(node.ctx, ast.Load) for node in stores) == len(found)
                return found if is_known else []
        return []

    def names(self, scope: ast.AST, name: str) -> list[ast.Name]:
        """Return where a name stands in a function, in the order of the text."""
        found = [node for node in ast.walk(scope) if isinstance(node, ast.Name) and node.id == name]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    def call_at(self, site: Site) -> ast.Call | None:
        """Return the call at a place: the one with its span, else the one that takes the text which begins there."""
        if site.column is None:
            return self._only_call_on(site.line)
        begins = (site.line, self._bytes(site.line, site.column))
        if site.end_line is not None and site.end_column is not None:
            exact = self._by_span.get((*begins, site.end_line, self._bytes(site.end_line, site.end_column)))
            if exact is not None:
                call = exact.value if isinstance(exact, ast.Await) else exact
                return call if isinstance(call, ast.Call) else None
        return self._call_that_takes(begins)

    def sending_call(self, node: ast.AST) -> ast.Call | None:
        """Return the call that takes a text, over what only wraps it, and over a name that it has in between."""
        for _ in range(20):
            around = self.parent(node)
            if isinstance(around, ast.Call) and around.func is not node and name_of(around) not in _WRAPPERS:
                return around
            if isinstance(around, ast.Assign | ast.AnnAssign):
                loads = self._loads(around)
                if len(loads) != 1:
                    return None
                node = loads[0]
            elif isinstance(around, ast.expr | ast.keyword):
                node = around
            else:
                return None
        return None

    def _loads(self, assignment: ast.Assign | ast.AnnAssign) -> list[ast.Name]:
        targets = assignment.targets if isinstance(assignment, ast.Assign) else [assignment.target]
        if len(targets) != 1 or not isinstance(targets[0], ast.Name):
            return []
        names = self.names(self.function(assignment), targets[0].id)
        return [name for name in names if isinstance(name.ctx, ast.Load)]

    def _only_call_on(self, line: int) -> ast.Call | None:
        """Return the outermost call that begins on a line, where there is one only."""
        calls = [each for each in ast.walk(self.module) if isinstance(each, ast.Call) and each.lineno == line]
        outer = [each for each in calls if not any(each is not o and _holds(o, each) for o in calls)]
        return outer[0] if len(outer) == 1 else None

    def _call_that_takes(self, begins: tuple[int, int]) -> ast.Call | None:
        holding = [node for node in ast.walk(self.module) if isinstance(node, ast.expr) and _covers(node, begins)]
        if not holding:
            return None
        innermost = max(holding, key=lambda node: (node.lineno, node.col_offset, *(-part for part in _size(node))))
        return self.sending_call(innermost)

    def _bytes(self, line: int, column: int) -> int:
        """Return a column that counts bytes from 0 for one that counts characters from 1."""
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        return column - 1 if text.isascii() else len(text[: column - 1].encode())


def read_source(path: Path) -> SourceTree | None:
    """Return the tree of a file; None for one that is not there, is no Python, or is too large."""
    if path.suffix != ".py":
        return None
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        return SourceTree(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def name_of(call: ast.Call) -> str:
    """Return the name of the function or method that is called; "" for any other expression."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def assignments(scope: ast.AST, name: str) -> list[Assignment]:
    """Return what gives a name a value in a function or module itself, in the order of the text."""
    found = [node for node in _own(scope) if isinstance(node, Assignment) and _binds(node, name)]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function or module, those of functions and classes in it left out."""
    pending = list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, _Scopes):
            pending += ast.iter_child_nodes(node)


def _binds(node: Assignment, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _span(node: ast.expr) -> Span:
    return (node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)


def _covers(node: ast.expr, place: tuple[int, int]) -> bool:
    return (node.lineno, node.col_offset) <= place < (node.end_lineno or 0, node.end_col_offset or 0)


def _holds(outer: ast.expr, inner: ast.expr) -> bool:
    one, other = _span(outer), _span(inner)
    return one[:2] <= other[:2] and other[2:] <= one[2:]


def _size(node: ast.expr) -> tuple[int, int]:
    return ((node.end_lineno or 0) - node.lineno, node.end_col_offset or 0)
