"""Tells of a call in source which methods stand in its expression, and whether its result is only tested or counted."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pytest_dbguard.analysis.source_trees import SourceTree, assignments, name_of

TRUTH, ZERO, LENGTH = "truth", "zero", "length"
_FETCHES = frozenset({"fetchone", "fetchall", "fetchmany", "fetchval"})
_SENDS = frozenset({"execute", "executemany"})
_PASSES = frozenset({"int", "list", "tuple"})
_MAX_STEPS = 40
_Assignment = ast.Assign | ast.AnnAssign
# what a number is compared with when the question is whether there are any: operator, number
_EXISTS: frozenset[tuple[type[ast.cmpop], int]] = frozenset(
    {(ast.Gt, 0), (ast.GtE, 1), (ast.NotEq, 0), (ast.Eq, 0), (ast.Lt, 1), (ast.LtE, 0)}
)
_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE}


def methods_and_use(call: ast.Call, tree: SourceTree) -> tuple[tuple[str, ...], str]:
    """Return the names of the calls in a call's expression, in order, and what the result is used as, as `Call` says.

    Follows a name that the result is assigned to through its function, and a cursor to the next fetch.
    """
    methods = [*reversed(list(_before(call))), name_of(call)]
    top, after = _after(call, tree)
    fetch = _fetch_of(call, top, tree)
    if fetch is not None:
        top, more = _after(fetch, tree)
        after += [name_of(fetch), *more]
    named = _only_load(top, tree)
    if named is not None:
        top, more = _after(named, tree)
        after += more
    return tuple(each for each in (*methods, *after) if each), _use(top, tree)


def _before(call: ast.Call) -> Iterable[str]:
    """Yield the calls that a call is a method of the result of, the nearest first."""
    node: ast.expr = call.func
    while isinstance(node, ast.Attribute | ast.Await | ast.Call | ast.Subscript):
        if isinstance(node, ast.Call):
            yield name_of(node)
        node = node.func if isinstance(node, ast.Call) else node.value


def _after(node: ast.expr, tree: SourceTree) -> tuple[ast.expr, list[str]]:
    """Return the end of a chain of methods that begins with an expression, and their names."""
    methods: list[str] = []
    for _ in range(_MAX_STEPS):
        around = tree.parent(node)
        if isinstance(around, ast.Await):
            node = around
            continue
        outer = tree.parent(around) if isinstance(around, ast.Attribute) else None
        if not isinstance(outer, ast.Call) or outer.func is not around or not isinstance(around, ast.Attribute):
            break
        methods.append(around.attr)
        node = outer
    return node, methods


def _fetch_of(call: ast.Call, top: ast.expr, tree: SourceTree) -> ast.Call | None:
    """Return what fetches the rows of a cursor whose `execute` stands alone: the next method of it that does so."""
    statement = tree.parent(top)
    cursor = call.func.value if isinstance(call.func, ast.Attribute) else None
    if not isinstance(statement, ast.Expr) or not isinstance(cursor, ast.Name) or name_of(call) not in _SENDS:
        return None
    block = _block_of(statement, tree)
    for following in block[block.index(statement) + 1 :] if statement in block else ():
        for node in ast.walk(following):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                is_same = isinstance(node.func.value, ast.Name) and node.func.value.id == cursor.id
                if is_same and node.func.attr in _SENDS:
                    return None
                if is_same and node.func.attr in _FETCHES:
                    return node
    return None


def _block_of(statement: ast.stmt, tree: SourceTree) -> list[ast.stmt]:
    around = tree.parent(statement)
    blocks = (getattr(around, name, None) for name in ("body", "orelse", "finalbody"))
    return next((block for block in blocks if isinstance(block, list) and statement in block), [])


def _only_load(node: ast.expr, tree: SourceTree) -> ast.Name | None:
    """Return the only use of the name that a value is assigned to, where a method of it is called."""
    loads = _loads(tree.parent(node), node, tree)
    if len(loads) != 1:
        return None
    return loads[0] if isinstance(tree.parent(loads[0]), ast.Attribute) else None


def _loads(assignment: ast.AST | None, value: ast.expr, tree: SourceTree) -> list[ast.Name]:
    """Return where the name is used that a value is assigned to, in its function; () where it has several values."""
    if not isinstance(assignment, _Assignment) or assignment.value is not value:
        return []
    targets = assignment.targets if isinstance(assignment, ast.Assign) else [assignment.target]
    target = targets[0] if len(targets) == 1 else None
    if isinstance(target, ast.Tuple | ast.List) and len(target.elts) == 1:
        # a row of one column is taken apart
        target = target.elts[0]
    function = tree.function(assignment)
    if not isinstance(target, ast.Name) or isinstance(function, ast.Module):
        return []
    names = tree.names(function, target.id)
    if len(assignments(function, target.id)) > 1 or sum(not isinstance(n.ctx, ast.Load) for n in names) > 1:
        return []
    if any(isinstance(node, ast.Global | ast.Nonlocal) and target.id in node.names for node in ast.walk(function)):
        return []
    return [name for name in names if isinstance(name.ctx, ast.Load)]


def _use(node: ast.expr, tree: SourceTree, steps: int = _MAX_STEPS) -> str:
    """Return what becomes of a value: "" where it is more than tested, compared with nothing, or counted."""
    around = tree.parent(node)
    if steps <= 0 or around is None:
        return ""
    if isinstance(around, ast.Call):
        return _use_in_call(node, around, tree, steps - 1)
    if isinstance(around, ast.Compare):
        return ZERO if _asks_for_any(around, node) else ""
    if isinstance(around, ast.BoolOp):
        is_default = isinstance(around.op, ast.Or) and all(_is_nothing(v) for v in around.values if v is not node)
        return _use(around, tree, steps - 1) if is_default or _is_tested(around, tree) else ""
    is_row = isinstance(around, ast.Subscript) and around.value is node and _number(around.slice) == 0
    if isinstance(around, ast.Await) or is_row:
        assert isinstance(around, ast.expr)
        return _use(around, tree, steps - 1)
    if isinstance(around, _Assignment):
        return _together({_use(name, tree, steps - 1) for name in _loads(around, node, tree)})
    return TRUTH if _tests(around, node) else ""


def _use_in_call(node: ast.expr, call: ast.Call, tree: SourceTree, steps: int) -> str:
    if call.args != [node] or call.keywords or not isinstance(call.func, ast.Name):
        return ""
    if call.func.id == "bool":
        return TRUTH
    if call.func.id in _PASSES:
        return _use(call, tree, steps)
    if call.func.id == "len":
        return ZERO if _use(call, tree, steps) else LENGTH
    return ""


def _together(uses: set[str]) -> str:
    if not uses or "" in uses:
        return ""
    return next((use for use in (LENGTH, ZERO) if use in uses), TRUTH)


def _is_tested(node: ast.BoolOp, tree: SourceTree) -> bool:
    """Whether only the truth of a connection counts, not which of its values it is."""
    around = tree.parent(node)
    while isinstance(around, ast.BoolOp):
        node, around = around, tree.parent(around)
    return around is not None and _tests(around, node)


def _tests(around: ast.AST, node: ast.expr) -> bool:
    if isinstance(around, ast.If | ast.While | ast.IfExp | ast.Assert):
        return around.test is node
    if isinstance(around, ast.comprehension):
        return node in around.ifs
    if isinstance(around, ast.BoolOp):
        return True
    return isinstance(around, ast.UnaryOp) and isinstance(around.op, ast.Not)


def _asks_for_any(node: ast.Compare, value: ast.expr) -> bool:
    """Whether a number is only compared with nothing: `count > 0`, `0 == count`."""
    if len(node.ops) != 1:
        return False
    operator, other = type(node.ops[0]), node.comparators[0]
    if other is value:
        operator, other = _MIRRORED.get(operator, operator), node.left
    number = _number(other)
    return number is not None and (operator, number) in _EXISTS


def _number(node: ast.expr) -> int | None:
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (0, None, False)
