"""Tells what a loop is for: retries and searches that end with success, polling, batches, subtests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_PAUSES = frozenset({"sleep", "wait", "asleep"})
_BATCH = re.compile(r"batch|chunk|slice|page|window|partition", re.IGNORECASE)
_ATTEMPT = re.compile(r"\b(attempts?|retry|retries|tries)\b", re.IGNORECASE)
_CLASSES = re.compile(r"\b(__mro__|__bases__|mro\(\))")
_SUBTEST = re.compile(r"subtests?\.test$|\.subTest$")

Span = tuple[int, int, int, int]
"""First line, first column, last line, end column; columns in UTF-8 bytes, as `ast` counts them."""


def span_of(node: ast.AST) -> Span | None:
    """Return where a node stands; None for nodes without a place of their own."""
    if not isinstance(node, ast.stmt | ast.expr | ast.excepthandler | ast.arg | ast.keyword | ast.alias | ast.pattern):
        return None
    return (node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)


def contains(outer: Span | None, inner: Span) -> bool:
    """Whether a span lies inside of another one, or is the same."""
    return outer is not None and outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def asks_whether_to_go_on(loop: ast.AST, span: Span) -> bool:
    """Whether the statement is a `while` loop's condition: polling, or the search for a name that is free."""
    return isinstance(loop, ast.While) and contains(span_of(loop.test), span)


def is_left(loop: ast.AST, inside: list[ast.AST]) -> bool:
    """Whether one more round only follows a failure.

    That is so where a block around the statement ends in `break` or `return`, where a `while` is left as soon as the
    statement brings something (`if changed: return`), and in loops that count attempts (`for _ in range(3):`) and can
    be left early. A `for` through keys that ends with the first one found may as well ask for all at once.
    """
    if not isinstance(loop, ast.For | ast.AsyncFor | ast.While):
        return False
    if isinstance(loop, ast.For | ast.AsyncFor) and _enters_its_target(loop):
        return True
    if isinstance(loop, ast.For) and _counts_attempts(loop) and any(_exits(statement) for statement in loop.body):
        return True
    if isinstance(loop, ast.For) and _CLASSES.search(ast.unparse(loop.iter)):
        # a walk through the bases of a class picks one of them
        return True
    for outer, inner in pairwise([loop, *inside]):
        if isinstance(inner, LOOPS):
            return False
        if any(inner in block and isinstance(block[-1], ast.Break | ast.Return) for block in _blocks(outer)):
            return True
        if isinstance(loop, ast.While) and _ends_with_a_hit(outer, inner):
            return True
        if isinstance(outer, ast.Try) and inner in outer.body and outer.orelse:
            return isinstance(outer.orelse[-1], ast.Break | ast.Return)
    return False


def _ends_with_a_hit(outer: ast.AST, inner: ast.AST) -> bool:
    """Whether what a statement brings ends the loop: tested where it runs, or by the name that it is assigned to."""
    if isinstance(outer, ast.If) and inner is outer.test:
        return _leaves(outer) and _is_positive(outer.test, None)
    if not isinstance(inner, ast.Assign | ast.AnnAssign):
        return False
    targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    for block in _blocks(outer):
        if inner in block:
            after = block[block.index(inner) + 1 :]
            tests = [each for each in after if isinstance(each, ast.If) and _leaves(each)]
            return any(_is_positive(each.test, names) for each in tests)
    return False


def _leaves(branch: ast.If) -> bool:
    return isinstance(branch.body[-1], ast.Break | ast.Return) and not branch.orelse


def _is_positive(test: ast.expr, names: set[str] | None) -> bool:
    """Whether a test holds when something was found: a name of these, or anything where they are None."""
    if isinstance(test, ast.BoolOp):
        return any(_is_positive(value, names) for value in test.values)
    if isinstance(test, ast.UnaryOp):
        return False
    if isinstance(test, ast.Compare):
        refused = isinstance(test.ops[0], ast.Is | ast.Eq) and isinstance(test.comparators[0], ast.Constant)
        return not (refused and not test.comparators[0].value) and _is_positive(test.left, names)  # type: ignore[attr-defined]
    if isinstance(test, ast.NamedExpr):
        return names is None or test.target.id in names
    return names is None or (isinstance(test, ast.Name) and test.id in names)


def _counts_attempts(loop: ast.For) -> bool:
    if isinstance(loop.target, ast.Name) and not _uses(loop.body, loop.target.id):
        return True
    return _ATTEMPT.search(f"{ast.unparse(loop.target)} {ast.unparse(loop.iter)}") is not None


def _uses(body: list[ast.stmt], name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for part in body for node in ast.walk(part))


def _enters_its_target(loop: ast.For | ast.AsyncFor) -> bool:
    """Whether each round is `with` the loop's own variable, as in `for attempt in Retrying(): with attempt:`."""
    name = loop.target.id if isinstance(loop.target, ast.Name) else None
    return any(
        isinstance(item.context_expr, ast.Name) and item.context_expr.id == name
        for part in loop.body
        if isinstance(part, ast.With | ast.AsyncWith)
        for item in part.items
    )


def _exits(node: ast.AST) -> bool:
    """Whether a statement may leave the loop around it."""
    if isinstance(node, ast.Break | ast.Return):
        return True
    if isinstance(node, (*LOOPS, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return any(isinstance(each, ast.Return) for each in ast.walk(node)) and isinstance(node, ast.For | ast.While)
    return any(_exits(child) for child in ast.iter_child_nodes(node))


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list) and block:
            yield block


def pauses(loop: ast.AST) -> bool:
    """Whether a loop sleeps or waits between rounds, as polling does."""
    for node in ast.walk(loop):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name in _PAUSES:
                return True
    return False


def takes_batches(loop: ast.AST) -> bool:
    """Whether a loop goes through slices: `range` with a step, `batched(...)`, names that say so."""
    if not isinstance(loop, ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return False
    source = loop.iter if isinstance(loop, ast.For | ast.AsyncFor) else loop.generators[0].iter
    for node in ast.walk(source):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "range" and len(node.args) == 3:
            return True
    return _BATCH.search(ast.unparse(source)) is not None


def starts_subtests(loop: ast.AST) -> bool:
    """Whether each round of a loop is a subtest, which is judged apart."""
    for node in ast.walk(loop):
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                function = item.context_expr.func if isinstance(item.context_expr, ast.Call) else None
                if isinstance(function, ast.Attribute) and _SUBTEST.search(ast.unparse(function)):
                    return True
    return False
