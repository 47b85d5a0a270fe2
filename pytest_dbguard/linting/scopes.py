"""Walks over a Python file: what its names are bound to, and which expressions may be statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from pytest_dbguard.linting.calls import ROWS_IN_STATEMENT, Taken, imported_names, taken_by


@dataclass(frozen=True, slots=True)
class Binding:
    """One assignment: its value (None for one that nobody can tell), where it stands, and what type it is said to be.

    Of a parameter of a function `annotation` is the one of its definition.
    """

    value: ast.expr | None
    place: Place
    adds: bool = False
    annotation: ast.expr | None = None

    @property
    def is_known(self) -> bool:
        """Whether the name holds the value itself, rather than something added or unknown."""
        return self.value is not None and not self.adds


@dataclass(slots=True, eq=False)
class Scope:
    """A module, class or function with the names that it binds, and of a class what its methods set on `self`.

    `appended` holds what is appended to lists, by the name of the list.
    """

    name: str
    parent: Scope | None = None
    is_class: bool = False
    first_line: int = 1
    last_line: int = 1 << 60
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    appended: dict[str, list[Binding]] = field(default_factory=dict)

    def bind(self, name: str, binding: Binding) -> None:
        """Note an assignment to a name."""
        self.bindings.setdefault(name, []).append(binding)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands: its scope, the blocks around it from the outermost on, and its number in the file.

    `anchor` is the offset that all literals below are said to stand at, where `ast` does not tell their own.
    """

    scope: Scope
    blocks: tuple[int, ...] = ()
    order: int = 0
    anchor: int | None = None

    def dominates(self, other: Place) -> bool:
        """Return whether what stands here is executed before what stands at another place of the scope."""
        return self.order < other.order and other.blocks[: len(self.blocks)] == self.blocks


class Kind(Enum):
    """How sure it is that a string is a statement."""

    EXECUTED = "executed"
    TEXT = "text"
    """Taken by SQLAlchemy's `text()`: a statement, or a fragment of one."""
    CONSTANT = "constant"
    """Assigned, returned, or taken by a call that sounds like it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An expression that may be a statement."""

    node: ast.expr
    place: Place
    kind: Kind


_LEAVES = frozenset({ast.Name, ast.Constant, ast.Load, ast.Store, str, type(None)})
_KINDS = {Taken.STATEMENT: Kind.EXECUTED, Taken.TEXT: Kind.TEXT, Taken.PERHAPS: Kind.CONSTANT}


class FileWalk:
    """One walk over a module; afterwards all names and candidates of the file are known."""

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope("")
        self.classes: dict[str, Scope] = {}
        self.candidates: list[Candidate] = []
        self._scopes = [self.module]
        self._imports: dict[str, str] = {}
        self._order = 0
        self._block(tree.body, self.module, ())

    def scope_at(self, line: int) -> Scope:
        """Return the innermost function or class around a line."""
        around = (scope for scope in self._scopes if scope.first_line <= line <= scope.last_line)
        return max(around, key=lambda scope: scope.first_line)

    def _block(self, statements: list[ast.stmt], scope: Scope, blocks: tuple[int, ...]) -> None:
        blocks = (*blocks, id(statements))
        for statement in statements:
            self._order += 1
            self._statement(statement, Place(scope, blocks, self._order))

    def _statement(self, node: ast.stmt, place: Place) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._definition(node, place)
            return
        for expression in _expressions(node):
            self._calls(expression, place)
        self._bindings(node, place)
        for inner in _inner_blocks(node):
            self._block(inner, place.scope, place.blocks)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, place: Place) -> None:
        for decorator in node.decorator_list:
            self._calls(decorator, place)
        outer = place.scope
        outer.bind(node.name, Binding(None, place))
        name = f"{outer.name}.{node.name}" if outer.name else node.name
        scope = Scope(name, outer, isinstance(node, ast.ClassDef), node.lineno, node.end_lineno or node.lineno)
        self._scopes.append(scope)
        if isinstance(node, ast.ClassDef):
            self.classes[node.name] = scope
        else:
            everything = node.args
            named = [*everything.posonlyargs, *everything.args, *everything.kwonlyargs, everything.vararg]
            for argument in [*named, everything.kwarg]:
                if argument is not None:
                    scope.bind(argument.arg, Binding(None, Place(scope), annotation=argument.annotation))
        self._block(node.body, scope, ())

    def _calls(self, expression: ast.expr, place: Place) -> None:
        for node in _calls_in(expression):
            if isinstance(node, ast.Call):
                self._appended(node, place)
                for taken, argument in taken_by(node, self._imports):
                    choices = (each for each in _choices(argument) if not self._takes_itself(each))
                    self.candidates += [Candidate(choice, place, _KINDS[taken]) for choice in choices]
            elif isinstance(node.target, ast.Name):
                place.scope.bind(node.target.id, Binding(node.value, place))

    def _takes_itself(self, node: ast.expr) -> bool:
        """Whether an expression is a call that takes a statement, such as `text()`: that one tells more."""
        return isinstance(node, ast.Call) and any(taken_by(node, self._imports))

    def _appended(self, call: ast.Call, place: Place) -> None:
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value]):
                place.scope.appended.setdefault(name, []).append(Binding(value, place, adds=True))

    def _bindings(self, node: ast.stmt, place: Place) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value, place)
                self._constants(value, place)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value, place)
                self._constants(value, place)
            case ast.AugAssign(target=target, value=value):
                self._assign(target, value, place, adds=isinstance(node.op, ast.Add))
            case ast.Return(value=ast.expr() as value):
                self._constants(value, place)
            case ast.For(target=target, iter=each) | ast.AsyncFor(target=target, iter=each):
                self._assign(target, _first_of(each), place)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    if item.optional_vars is not None:
                        self._assign(item.optional_vars, None, place)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                self._imports |= imported_names(node)
                for alias in names:
                    name = (alias.asname or alias.name).partition(".")[0]
                    place.scope.bind(name, Binding(None, place))
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    place.scope.bind(name, Binding(None, place))
            case _:
                pass

    def _assign(self, target: ast.expr, value: ast.expr | None, place: Place, *, adds: bool = False) -> None:
        match target:
            case ast.Name(id=name):
                place.scope.bind(name, Binding(value, place, adds))
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                owner = class_around(place.scope)
                if owner is not None:
                    owner.attributes.setdefault(name, []).append(Binding(value, place, adds))
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
                for number, each in enumerate(targets):
                    of_each = values[number] if len(values) == len(targets) else None
                    self._assign(each, of_each, place, adds=adds)
            case ast.Starred(value=inner):
                self._assign(inner, None, place)

    def _constants(self, value: ast.expr, place: Place) -> None:
        """Note values that are texts, also inside of lists and dictionaries."""
        match value:
            case ast.Dict(values=values) | ast.List(elts=values) | ast.Tuple(elts=values) | ast.Set(elts=values):
                for each in values:
                    self._constants(each, place)
            case ast.IfExp() | ast.BoolOp():
                for each in _choices(value):
                    self._constants(each, place)
            case ast.Constant(value=str()) | ast.JoinedStr() | ast.BinOp():
                self.candidates.append(Candidate(value, place, Kind.CONSTANT))
            case ast.Call(func=ast.Attribute(attr=name)) if name in ROWS_IN_STATEMENT:
                self.candidates.append(Candidate(value, place, Kind.CONSTANT))
            case ast.Call(func=ast.Name(id="dedent" | "cleandoc")):
                self.candidates.append(Candidate(value, place, Kind.CONSTANT))


def class_around(scope: Scope | None) -> Scope | None:
    """Return the class that a scope is, or lies in."""
    while scope is not None and not scope.is_class:
        scope = scope.parent
    return scope


def _choices(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what an expression chooses from: the branches of `a if b else c`, and of `a or b`."""
    if isinstance(node, ast.IfExp | ast.BoolOp):
        for each in node.values if isinstance(node, ast.BoolOp) else (node.body, node.orelse):
            yield from _choices(each)
    else:
        yield node


def _expressions(node: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions of a statement, without those of the blocks in it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        elif isinstance(child, ast.withitem):
            yield child.context_expr
        elif isinstance(child, ast.match_case) and child.guard is not None:
            yield child.guard


def _calls_in(expression: ast.expr) -> Iterator[ast.Call | ast.NamedExpr]:
    """Yield calls and assignments in an expression, in no order; several times as fast as `ast.walk`."""
    left: list[ast.AST] = [expression]
    while left:
        node = left.pop()
        if isinstance(node, ast.Call | ast.NamedExpr):
            yield node
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                left += [each for each in value if type(each) not in _LEAVES and isinstance(each, ast.AST)]
            elif type(value) not in _LEAVES and isinstance(value, ast.AST):
                left.append(value)


def _inner_blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list) and block:
            yield block
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def _first_of(each: ast.expr) -> ast.expr | None:
    """Return what stands for all values that a loop runs over, where they are constants of the source."""
    if isinstance(each, ast.Tuple | ast.List | ast.Set):
        constants = all(isinstance(value, ast.Constant) for value in each.elts)
        return each.elts[0] if each.elts and constants else None
    if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "range":
        return ast.copy_location(ast.Constant(1), each)
    return None
