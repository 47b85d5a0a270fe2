"""Tells from source whether a query's result is taken as one object: `.one()`, `.first()`, `.scalar()`, `get`."""

from __future__ import annotations

import ast

from pytest_dbguard.recording.frames import Frame
from pytest_dbguard.recording.loops import LoopFinder

_SINGLE = frozenset({
    "one", "one_or_none", "first", "scalar", "scalar_one", "scalar_one_or_none", "fetchone", "get", "get_one",
    "refresh", "merge", "get_or_404", "first_or_404", "one_or_404",
})  # fmt: skip


def takes_one(frame: Frame, loops: LoopFinder) -> bool:
    """Whether the call that a frame stands in, or what its function does with the result, yields one object.

    Looks at the method called, at the methods chained to it, and at those called on the name it is assigned to.
    Where the source cannot be read, the answer is no.
    """
    path = loops.path(frame)
    for index in range(len(path) - 1, -1, -1):
        node = path[index]
        if isinstance(node, ast.Call) and _method(node) in _SINGLE:
            return True
        if isinstance(node, ast.Assign | ast.AnnAssign):
            return _named_one(node, path[:index])
        if isinstance(node, ast.stmt):
            return False
    return False


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _named_one(node: ast.Assign | ast.AnnAssign, outer: list[ast.AST]) -> bool:
    """Whether a method that yields one object is called on the name that the result is assigned to."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if any(isinstance(target, ast.Tuple | ast.List) and len(target.elts) == 1 for target in targets):
        return True
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    functions = [each for each in outer if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    scope = functions[-1] if functions else outer[0] if outer else None
    if scope is None or not names:
        return False
    return any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and each.func.attr in _SINGLE
        and _root(each.func.value) in names
        for each in ast.walk(scope)
    )


def _root(node: ast.expr) -> str:
    """Return the name that a chain of calls and attributes starts with: `result` of `result.scalars().first()`."""
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
