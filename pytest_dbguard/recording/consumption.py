"""Tells from source what is done with a query's result: whether it is taken as one object, or hardly used at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import StrEnum

from pytest_dbguard.recording.frames import Frame
from pytest_dbguard.recording.loops import LoopFinder

_SINGLE = frozenset({
    "one", "one_or_none", "first", "scalar", "scalar_one", "scalar_one_or_none", "fetchone", "get", "get_one",
    "refresh", "merge", "get_or_404", "first_or_404", "one_or_404",
})  # fmt: skip
_SENDS = frozenset({"execute", "scalars", "first"})
_FETCHES = frozenset({"all", "fetchall"})
_PASSES = frozenset({"scalars", "unique", "mappings", "tuples", "columns", "order_by"})
_LISTS = frozenset({"list", "tuple"})
_Assignment = ast.Assign | ast.AnnAssign | ast.NamedExpr


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


class Use(StrEnum):
    """All that is done with a query's rows, where that is little."""

    COUNT = "count"
    EXISTS = "exists"
    FIRST = "first"


def little_use(frame: Frame, loops: LoopFinder) -> Use | None:
    """Return what the rows are fetched for when that takes no rows, or one: `len(...all())`, `if ...all():`, `[0]`.

    Follows a name that the result is assigned to through its function. None where the rows are used in any other way,
    leave the function, or the source cannot be read.
    """
    path = loops.path(frame)
    if not path or not isinstance(path[-1], ast.Call | ast.Await):
        return None
    call = path[-1].value if isinstance(path[-1], ast.Await) else path[-1]
    if not isinstance(call, ast.Call) or not (_is_list(call) or _method(call) in _SENDS | _FETCHES | _PASSES):
        return None
    if _method(call) == "first":
        return Use.FIRST
    if _reads_identities(call, path):
        return None
    return _use(path[-1], path[:-1], _is_list(call) or _method(call) in _FETCHES)


def _reads_identities(call: ast.Call, path: list[ast.AST]) -> bool:
    """Whether the function also asks the same session by key: it may have fetched all to find them there."""
    functions = [each for each in path if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    session = ast.dump(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    return any(
        isinstance(each, ast.Attribute) and each.attr in ("get", "get_one") and ast.dump(each.value) == session
        for function in functions[-1:]
        for each in ast.walk(function)
    )


def _use(node: ast.AST, outer: list[ast.AST], is_fetched: bool) -> Use | None:
    """Return what the nodes around a value do with it, from the inside out."""
    in_test = False
    for index in range(len(outer) - 1, -1, -1):
        parent = outer[index]
        if isinstance(parent, ast.Call) and not in_test:
            found = _use_in_call(node, parent, outer[:index], is_fetched)
            if not isinstance(found, bool):
                return found
            is_fetched = is_fetched or found
        elif isinstance(node, ast.Attribute):
            return None
        elif isinstance(parent, ast.BoolOp):
            in_test = True
        elif isinstance(parent, _Assignment) and not in_test:
            return _use_of_name(parent, outer[:index], is_fetched)
        elif isinstance(parent, ast.Subscript) and parent.value is node:
            return Use.FIRST if is_fetched and _is_number(parent.slice, 0) else None
        elif not isinstance(parent, ast.Attribute | ast.Await):
            return Use.EXISTS if is_fetched and _tests(parent, node) else None
        node = parent
    return None


def _use_in_call(node: ast.AST, call: ast.Call, outer: list[ast.AST], is_fetched: bool) -> Use | bool | None:
    """Return what a call does with a value; where it hands it on, whether all rows are fetched by it."""
    if call.func is node:
        method = _method(call)
        if method == "first":
            return Use.FIRST
        return method in _FETCHES if method in _FETCHES | _PASSES else None
    if isinstance(node, ast.Attribute) or call.args != [node] or call.keywords or not isinstance(call.func, ast.Name):
        return None
    if call.func.id in _LISTS:
        return True
    if call.func.id == "bool" and is_fetched:
        return Use.EXISTS
    if call.func.id == "len" and is_fetched:
        return Use.EXISTS if outer and _asks_for_any(outer[-1], call) else Use.COUNT
    return None


def _asks_for_any(parent: ast.AST, length: ast.Call) -> bool:
    """Whether a length is only compared with nothing: `len(rows) > 0`, `if len(rows):`."""
    if isinstance(parent, ast.Compare):
        numbers = parent.comparators
        return parent.left is length and len(numbers) == 1 and (_is_number(numbers[0], 0) or _is_number(numbers[0], 1))
    return _tests(parent, length)


def _tests(parent: ast.AST, node: ast.AST) -> bool:
    """Whether a node asks no more of a value than whether it is true."""
    if isinstance(parent, ast.If | ast.While | ast.IfExp | ast.Assert):
        return parent.test is node
    return isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)


def _use_of_name(node: _Assignment, outer: list[ast.AST], is_fetched: bool) -> Use | None:
    """Return what is done with a name in its function, where it is assigned once."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    functions = [each for each in outer if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name) or not functions:
        return None
    name = targets[0].id
    nodes = list(_nodes(functions[-1], []))
    # a name that is bound twice is no one value, and following it from assignment to assignment would not end
    if any(_binds(each, name) and each is not targets[0] for each, _ in nodes):
        return None
    uses: set[Use | None] = {_use(node, outer, is_fetched)} if isinstance(node, ast.NamedExpr) else set()
    for each, around in nodes:
        if isinstance(each, ast.Name) and each.id == name and each is not targets[0] and node not in around:
            uses.add(_use(each, around, is_fetched))
    return _together(uses)


def _binds(node: ast.AST, name: str) -> bool:
    """Whether a node gives a name a value, takes it away, or makes it one of another function."""
    if isinstance(node, ast.Name):
        return node.id == name and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.arg):
        return node.arg == name
    return isinstance(node, ast.Global | ast.Nonlocal) and name in node.names


def _together(uses: set[Use | None]) -> Use | None:
    """Return the one use that several come down to; None where there is none, or a list serves better."""
    if None in uses or not uses or uses >= {Use.COUNT, Use.FIRST}:
        return None
    return next(iter(uses - {Use.EXISTS}), Use.EXISTS)


def _nodes(node: ast.AST, outer: list[ast.AST]) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Yield all nodes below a node, each with those around it, outermost first."""
    around = [*outer, node]
    for child in ast.iter_child_nodes(node):
        yield child, around
        yield from _nodes(child, around)


def _is_list(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in _LISTS and len(call.args) == 1


def _is_number(node: ast.AST, number: int) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value == number


def hands_on(frame: Frame, loops: LoopFinder) -> bool:
    """Whether a frame's function runs a statement that it was handed: the first argument of its call is a parameter."""
    path = loops.path(frame)
    call = next((node for node in reversed(path) if isinstance(node, ast.Call)), None)
    functions = [node for node in path if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    if call is None or not functions or not call.args or not isinstance(call.args[0], ast.Name):
        return False
    given = functions[-1].args
    names = {each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
    return call.args[0].id in names
