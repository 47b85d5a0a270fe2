"""Walks the code of an upgrade in the order in which it runs, and collects its steps."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pytest_dbguard.core.findings import Site
from pytest_dbguard.linting.alembic_operations import Operation, operation_steps, with_schema, without_placeholder
from pytest_dbguard.linting.alembic_tables import emptied_table, made_table
from pytest_dbguard.linting.alembic_values import Values, called_name, keyword
from pytest_dbguard.linting.ddl_steps import sql_steps
from pytest_dbguard.linting.dialect_guards import DialectGuards
from pytest_dbguard.schema.migration import Step, StepKind

Function = ast.FunctionDef | ast.AsyncFunctionDef
_MAX_CALLS = 5
_MAX_ROUNDS = 200
_EXECUTES = frozenset({"execute", "exec_driver_sql", "executescript", "run_sql"})
_BLOCKS = frozenset({"autocommit_block"})


class UpgradeWalk:
    """Collects steps; calls of the module's own functions are followed, loops over known lists are run."""

    def __init__(
        self,
        path: str,
        functions: Mapping[str, Function],
        operations: frozenset[str],
        models: Mapping[str, str],
        target: str,
    ) -> None:
        """Make the walk.

        Args:
            path: Of the file, for places.
            functions: Functions of the module, by name.
            operations: Names under which Alembic's `op` is known.
            models: Tables of the models that the module declares, by class.
            target: The dialect for which guards are decided.
        """
        self.steps: list[Step] = []
        self._path = path
        self._functions = functions
        self._operations = operations
        self._models = models
        self._guards = DialectGuards(target, functions)
        self._batches: dict[str, str] = {}
        self._in_autocommit = False
        self._function = ""
        self._depth = 0

    def function(self, function: Function, values: Values, given: Mapping[str, object]) -> None:
        """Walk a function with what its parameters stand for."""
        before, self._function = self._function, function.name
        self._depth += 1
        self._block(function.body, values.inner({**_defaults(function), **given}))
        self._depth -= 1
        self._function = before

    def _block(self, body: Iterable[ast.stmt], values: Values) -> bool:
        """Walk statements; return whether nothing behind them runs."""
        return any(self._statement(statement, values) for statement in body)

    def _statement(self, node: ast.stmt, values: Values) -> bool:
        match node:
            case ast.Expr():
                self._expression(node.value, values)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if node.value is not None:
                    self._expression(node.value, values)
                    values.bind(name, node.value)
            case ast.With() | ast.AsyncWith():
                return self._with(node, values)
            case ast.For() | ast.AsyncFor():
                self._for(node, values)
            case ast.If():
                return self._if(node, values)
            case ast.Try() | ast.TryStar():
                return self._block(node.body, values) or self._block(node.finalbody, values)
            case ast.While():
                self._block(node.body, values)
            case ast.Return() | ast.Raise():
                return True
        return False

    def _if(self, node: ast.If, values: Values) -> bool:
        decided = self._guards.decide(node.test, values)
        if decided is not None:
            return self._block(node.body if decided else node.orelse, values)
        ended = self._block(node.body, values)
        return self._block(node.orelse, values) and ended

    def _for(self, node: ast.For | ast.AsyncFor, values: Values) -> None:
        items = values.items(node.iter)
        if items is None:
            self._block(node.body, values.inner({}))
            return
        for item in items[:_MAX_ROUNDS]:
            inner = values.inner({})
            _unpack(node.target, item, inner)
            self._block(node.body, inner)

    def _with(self, node: ast.With | ast.AsyncWith, values: Values) -> bool:
        before = self._in_autocommit
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call):
                continue
            name = called_name(call)
            if name in _BLOCKS or _asks_for_autocommit(call, values):
                self._in_autocommit = True
            elif name == "batch_alter_table" and isinstance(item.optional_vars, ast.Name):
                table = values.text(keyword(call, "table_name") or (call.args[0] if call.args else None))
                self._batches[item.optional_vars.id] = with_schema(table, values, call)
        ended = self._block(node.body, values)
        self._in_autocommit = before
        return ended

    def _expression(self, node: ast.expr, values: Values) -> None:
        if isinstance(node, ast.Await):
            node = node.value
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            loop = ast.For(target=node.generators[0].target, iter=node.generators[0].iter, body=[], orelse=[])
            loop.body = [ast.copy_location(ast.Expr(node.elt), node)]
            self._for(loop, values)
        elif isinstance(node, ast.Call):
            self._call(node, values)

    def _call(self, call: ast.Call, values: Values) -> None:
        name = called_name(call)
        function = self._functions.get(name) if isinstance(call.func, ast.Name) else None
        if function is not None and self._depth < _MAX_CALLS:
            self.function(function, values, _arguments(function, call, values))
        elif name in _EXECUTES:
            self._execute(call, values)
        elif _asks_for_autocommit(call, values):
            # a connection of its own: what is said by it from here on commits by itself
            self._in_autocommit = True
        elif (batch := self._receiver(call)) is not None:
            self._take(operation_steps(Operation(call, values, self._site(call), batch or None)))
        else:
            self._take_rows_or_table(call, call, values)

    def _take_rows_or_table(self, call: ast.Call, emptied: ast.expr, values: Values) -> None:
        site = self._site(call)
        made = made_table(call, values, self._models, site)
        table = emptied_table(emptied, values, self._models)
        self._take([made] if made is not None else [Step(StepKind.EMPTY_TABLE, site, table)] if table else [])

    def _receiver(self, call: ast.Call) -> str | None:
        """Return the table of a batch, "" for an operation without one, None for a call of something else."""
        if isinstance(call.func, ast.Name):
            return "" if call.func.id in self._operations else None
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            name = call.func.value.id
            return "" if name in self._operations else self._batches.get(name)
        return None

    def _execute(self, call: ast.Call, values: Values) -> None:
        given = next(iter(call.args), None) or keyword(call, "sqltext", "statement")
        text = values.sql(given) if given is not None else ""
        if given is None or not text:
            self._take_rows_or_table(call, given or call, values)
            return
        site, first = self._site(call), _first_line(values.node(given), text)

        def place(offset: int) -> Site:
            if first is None or not (passed := text.count("\n", 0, offset)):
                return site
            column = offset - text.rfind("\n", 0, offset)
            return replace(site, line=first + passed, column=column, end_line=None, end_column=None)

        self._take(sql_steps(text, place, in_autocommit=self._in_autocommit))
        last = text.strip().rstrip(";").strip().upper()
        if last in ("COMMIT", "BEGIN", "END"):
            self._in_autocommit = last != "BEGIN"

    def _take(self, steps: Iterable[Step]) -> None:
        for step in steps:
            known = replace(step, table=without_placeholder(step.table), name=without_placeholder(step.name))
            self.steps.append(replace(known, in_autocommit=True) if self._in_autocommit else known)

    def _site(self, node: ast.expr) -> Site:
        end = (node.end_lineno, None if node.end_col_offset is None else node.end_col_offset + 1)
        return Site(self._path, node.lineno, node.col_offset + 1, self._function, *end)


def _first_line(node: ast.expr, text: str) -> int | None:
    """Return the line of a text's first character, where its lines are those of the source; None elsewhere."""
    while isinstance(node, ast.Call) and node.args:
        node = node.args[0]
    last = node.end_lineno or node.lineno
    is_alike = isinstance(node, ast.Constant | ast.JoinedStr) and last - node.lineno == text.count("\n")
    return node.lineno if is_alike else None


def _asks_for_autocommit(call: ast.Call, values: Values) -> bool:
    level = keyword(call, "isolation_level")
    return level is not None and values.text(level).upper() == "AUTOCOMMIT"


def _defaults(function: Function) -> dict[str, object]:
    """Return the defaults of parameters, by name."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    pairs = [
        *zip(reversed(positional), reversed(given.defaults), strict=False),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    return {argument.arg: default for argument, default in pairs if default is not None}


def _arguments(function: Function, call: ast.Call, values: Values) -> dict[str, object]:
    """Return what a call gives for a function's parameters, as values where they are known."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    pairs = [*zip(names, call.args, strict=False), *((each.arg or "", each.value) for each in call.keywords)]
    found: dict[str, object] = {}
    for name, node in pairs:
        value = values.value(node)
        found[name] = values.node(node) if not isinstance(value, str | int | tuple | type(None)) else value
    return found


def _unpack(target: ast.expr, item: object, values: Values) -> None:
    """Bind the variables of a loop to one of its items."""
    if isinstance(target, ast.Name):
        values.bind(target.id, item)
    elif isinstance(target, ast.Tuple | ast.List):
        parts: Iterable[object] = item.elts if isinstance(item, ast.Tuple | ast.List) else ()
        parts = item if isinstance(item, tuple) else parts
        for part, each in zip(target.elts, parts, strict=False):
            _unpack(part, each, values)
