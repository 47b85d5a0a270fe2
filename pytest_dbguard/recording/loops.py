"""Finds the loop that a stack frame stands in: from the source's syntax tree, else from the bytecode's jumps."""

from __future__ import annotations

import ast
import dis
import linecache
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from pytest_dbguard.core.findings import Site
from pytest_dbguard.recording.frames import CodeInfo, Frame
from pytest_dbguard.recording.loop_purpose import (
    LOOPS,
    Span,
    asks_whether_to_go_on,
    contains,
    is_left,
    pauses,
    span_of,
    starts_subtests,
    takes_batches,
)

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_NAMELESS: dict[str, type[ast.expr]] = {
    "<lambda>": ast.Lambda,
    "<listcomp>": ast.ListComp,
    "<setcomp>": ast.SetComp,
    "<dictcomp>": ast.DictComp,
    "<genexpr>": ast.GeneratorExp,
}
_INLINES = sys.version_info >= (3, 12)
"""Whether comprehensions, but for generators, run in the frame of the function around them."""
_STEPS = frozenset({"FOR_ITER", "SEND", "GET_ANEXT", "END_ASYNC_FOR", "YIELD_VALUE", "RESUME"})
_MAX_HEAD = 60
_MAX_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop around a statement.

    Attributes:
        site: Where its head stands.
        head: Its first line as written, such as "for order in orders:".
        is_left: Whether it is left as soon as the statement has run, as retries and searches are.
        pauses: Whether it sleeps or waits between rounds, as polling does.
        takes_batches: Whether it goes through slices: `range` with a step, `batched(...)`, names that say so.
        starts_subtests: Whether each round is a subtest, which is judged apart.
        binds: The names that each round gives values to: its target's, and those assigned in it.
    """

    site: Site
    head: str
    is_left: bool = False
    pauses: bool = False
    takes_batches: bool = False
    starts_subtests: bool = False
    binds: frozenset[str] = frozenset()

    @property
    def owns(self) -> bool:
        """Whether it is to blame for what it repeats: not retries, searches and rounds that are judged apart."""
        return not self.is_left and not self.starts_subtests


class LoopFinder:
    """Finds loops; keeps the syntax trees of the files it looked at."""

    def __init__(self) -> None:
        self._trees: dict[str, ast.Module | None] = {}
        self._found: dict[tuple[int, int], tuple[CodeInfo, tuple[Loop, ...]]] = {}

    def loops(self, frame: Frame) -> tuple[Loop, ...]:
        """Return the loops of the frame's own function that its instruction stands in, innermost first."""
        key = (id(frame.info), frame.instruction)
        known = self._found.get(key)
        if known is None:
            # the code is kept with the answer so that its id stays its own
            known = self._found[key] = (frame.info, self._search(frame))
        return known[1]

    def path(self, frame: Frame) -> list[ast.AST]:
        """Return the nodes of the source around the frame's instruction, outermost first; [] where it is unknown."""
        tree = None if frame.info.template_line else self._tree(frame.info.code.co_filename)
        span = _instruction_span(frame)
        if tree is None or span is None:
            return []
        path = list(_path_to(tree, span))
        if isinstance(path[-1], _COMPREHENSIONS) and span == span_of(path[-1]) and not _is_step(frame):
            # the call that runs a comprehension, which stands around it
            path.pop()
        name = frame.info.code.co_name
        if name != "<module>" and not any(_is_code_of(node, name) for node in path):
            # positions that do not fit the source: f-strings before 3.12, code made by a decorator
            return []
        return path

    def used(self, frame: Frame, *, by_whom: bool = False) -> frozenset[str]:
        """Return the names in the call or attribute that a frame stands in.

        Args:
            frame: The frame.
            by_whom: Whether only the name counts whose attribute is read or whose method is called: with
                `getattr(order, name)` that is `order`.
        """
        if _operation(frame) == "FOR_ITER":
            # the loop's own step: what it goes through sends the statement
            around = self.loops(frame)
            return around[0].binds if around else frozenset()
        node = next((each for each in reversed(self.path(frame)) if isinstance(each, ast.expr)), None)
        if node is None:
            return frozenset()
        if by_whom:
            node = _subject(node)
        return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))

    def calls(self, frame: Frame, name: str) -> bool:
        """Whether a frame stands in a call of a function of this name, as written; True where it stands in no call."""
        node = next((each for each in reversed(self.path(frame)) if isinstance(each, ast.expr)), None)
        if not isinstance(node, ast.Call):
            return True
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", name)
        return called == name or name.startswith(("<", "__"))

    def _search(self, frame: Frame) -> tuple[Loop, ...]:
        path, span = self.path(frame), _instruction_span(frame)
        if not path or span is None:
            return _loops_in_bytecode(frame)
        return tuple(_loops_on(path, span, frame))

    def _tree(self, filename: str) -> ast.Module | None:
        if filename not in self._trees:
            try:
                self._trees[filename] = ast.parse("".join(linecache.getlines(filename)))
            except (SyntaxError, ValueError):
                self._trees[filename] = None
        tree = self._trees[filename]
        return tree if tree is not None and tree.body else None


def _instruction_span(frame: Frame) -> Span | None:
    line, end_line, column, end_column = frame.info.positions(frame.instruction)
    if end_line is None or column is None or end_column is None:
        return None
    return (line, column, end_line, end_column)


def _path_to(tree: ast.AST, span: Span) -> Iterator[ast.AST]:
    """Yield the nodes around a span, outermost first."""
    node: ast.AST | None = tree
    while node is not None:
        yield node
        node = next((child for child in _children(node) if contains(span_of(child), span)), None)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield child nodes that have a place; those without (`comprehension`, `withitem`) give theirs."""
    for child in ast.iter_child_nodes(node):
        if hasattr(child, "lineno"):
            yield child
        else:
            yield from _children(child)


def _is_code_of(node: ast.AST, name: str) -> bool:
    """Whether a node is compiled to a code object of this name."""
    if name in _NAMELESS:
        return isinstance(node, _NAMELESS[name])
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name


def _subject(node: ast.expr) -> ast.expr:
    """Return what an expression is about: `order` of `order.items`, `order.total()` and `getattr(order, name)`."""
    while True:
        if isinstance(node, ast.Await | ast.Attribute):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func.value
        elif isinstance(node, ast.Call) and node.args:
            node = node.args[0]
        else:
            return node


def _bound(loop: ast.AST) -> frozenset[str]:
    names = (node for node in ast.walk(loop) if isinstance(node, ast.Name))
    return frozenset(name.id for name in names if isinstance(name.ctx, ast.Store))


def _loops_on(path: list[ast.AST], span: Span, frame: Frame) -> Iterator[Loop]:
    for index in range(len(path) - 1, -1, -1):
        node = path[index]
        if isinstance(node, LOOPS) and _repeats(node, span, frame):
            yield Loop(
                _head_site(node, frame),
                _head(node, frame),
                asks_whether_to_go_on(node, span) or is_left(node, path[index + 1 :]),
                pauses(node),
                takes_batches(node),
                starts_subtests(node),
                _bound(node),
            )
        if _is_code_of(node, frame.info.code.co_name) and not _is_run_outside(node, span, frame):
            # what is around it belongs to the next frame
            return


def _is_run_outside(node: ast.AST, span: Span, frame: Frame) -> bool:
    """Whether a span lies in what a comprehension goes through, which the code around it computes."""
    if not isinstance(node, _COMPREHENSIONS) or _is_step(frame):
        return False
    return contains(span_of(node.generators[0].iter), span)


def _repeats(node: ast.AST, span: Span, frame: Frame) -> bool:
    """Whether what stands at a span inside a loop runs once for each round."""
    if isinstance(node, ast.For | ast.AsyncFor | ast.While):
        if any(contains(span_of(part), span) for part in node.orelse):
            return False
        return isinstance(node, ast.While) or not _in_head(node, node.iter, span) or _is_step(frame)
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        is_inlined = _INLINES and not isinstance(node, ast.GeneratorExp)
        if not is_inlined and not _is_code_of(node, frame.info.code.co_name):
            return False
        return not _in_head(node, node.generators[0].iter, span) or _is_step(frame)
    return False


def _in_head(loop: ast.AST, source: ast.expr, span: Span) -> bool:
    """Whether a span is that of the iterator, or of the whole loop as that of its steps is before 3.13."""
    return span == span_of(loop) or contains(span_of(source), span)


def _is_step(frame: Frame) -> bool:
    """Whether the instruction asks an iterator for its next item, which a loop does in each round."""
    return _operation(frame) in _STEPS


def _operation(frame: Frame) -> str:
    """Return the name of the operation that a frame stands at; "" where it is unknown."""
    code, offset = frame.info.code.co_code, frame.instruction
    if not 0 <= offset < len(code):
        return ""
    while offset > 1 and dis.opname[code[offset]] == "CACHE":
        # a generator that runs in its caller's loop leaves it at the cache of the operation
        offset -= 2
    return dis.opname[code[offset]]


def _head_site(node: ast.AST, frame: Frame) -> Site:
    span = span_of(node)
    line, column = (span[0], span[1] + 1) if span else (frame.site.line, None)
    return Site(frame.info.file, line, column, frame.info.function, in_test_code=frame.in_test_code)


def _head(node: ast.AST, frame: Frame) -> str:
    if isinstance(node, ast.While):
        text = f"while {_text(node.test)}:"
    elif isinstance(node, ast.For | ast.AsyncFor):
        word = "async for" if isinstance(node, ast.AsyncFor) else "for"
        text = f"{word} {_target(node.target)} in {_text(node.iter)}:"
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        text = " ".join(f"for {_target(part.target)} in {_text(part.iter)}" for part in node.generators)
    else:
        text = frame.site.label
    return text if len(text) <= _MAX_HEAD else text[: _MAX_HEAD - 1] + "…"


class _Masking(ast.NodeTransformer):
    """Hides texts and lists of constants, since reports show no values."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        is_long = isinstance(node.value, int | float | complex) and len(repr(node.value)) > _MAX_DIGITS
        return ast.Name("…") if is_long or isinstance(node.value, str | bytes) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Name("…")

    def visit_collection(self, node: ast.Tuple | ast.List | ast.Set) -> ast.AST:
        if node.elts and all(isinstance(item, ast.Constant) for item in node.elts):
            node.elts = [ast.Name("…")]
            return node
        return self.generic_visit(node)

    visit_Tuple = visit_List = visit_Set = visit_collection


def _target(node: ast.expr) -> str:
    if isinstance(node, ast.Tuple):
        return ", ".join(_text(element) for element in node.elts)
    return _text(node)


def _text(node: ast.AST) -> str:
    try:
        return ast.unparse(_Masking().visit(deepcopy(node))).replace("(…,)", "(…)")
    except (ValueError, TypeError, AttributeError):
        # a node that does not take a masked part: what stands there is not worth a rule's failure
        return "…"


def _loops_in_bytecode(frame: Frame) -> tuple[Loop, ...]:
    """Find loops by backward jumps, for code without source such as templates and generated functions."""
    found = []
    for instruction in dis.get_instructions(frame.info.code):
        if "JUMP_BACKWARD" not in instruction.opname or not isinstance(instruction.argval, int):
            continue
        if instruction.argval <= frame.instruction < instruction.offset:
            found.append((instruction.offset - instruction.argval, instruction.argval))
    return tuple(
        Loop(frame.info.site(start), f"a loop at {frame.info.site(start).label}") for _, start in sorted(found)
    )
