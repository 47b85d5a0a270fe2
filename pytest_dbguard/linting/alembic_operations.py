"""Turns the calls of Alembic's operations into steps."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_dbguard.core.findings import Site
from pytest_dbguard.linting.alembic_values import PLACEHOLDER, UNKNOWN, Values, called_name, keyword, type_text
from pytest_dbguard.linting.ddl_alter import not_null_columns
from pytest_dbguard.schema.migration import Step, StepKind
from pytest_dbguard.schema.type_changes import is_volatile_default

_COMPUTED = frozenset({"Identity", "Computed", "Sequence"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of an operation.

    Attributes:
        call: The call.
        values: What the names in it stand for.
        site: Of the call.
        batch: Table of the `batch_alter_table` around it; None outside of one.
    """

    call: ast.Call
    values: Values
    site: Site
    batch: str | None = None

    def argument(self, position: int, *names: str, after_table: bool = True) -> ast.expr | None:
        """Return an argument by its name, else by its position; `batch` takes the table's place."""
        given = keyword(self.call, *names)
        if given is not None:
            return given
        at = position - (1 if self.batch is not None and after_table else 0)
        found = self.call.args[at] if 0 <= at < len(self.call.args) else None
        return None if isinstance(found, ast.Starred) else found

    def text(self, position: int, *names: str, after_table: bool = True) -> str:
        """Return a text that is an argument; "" where it is not known."""
        return self.values.text(self.argument(position, *names, after_table=after_table))

    def texts(self, position: int, *names: str) -> tuple[str, ...]:
        """Return the texts in a list that is an argument."""
        return self.values.texts(self.argument(position, *names))

    def table(self, position: int, *names: str) -> str:
        """Return the table, with its schema where one is named."""
        if self.batch is not None:
            return self.batch
        given = keyword(self.call, *names) or (self.call.args[position] if position < len(self.call.args) else None)
        return with_schema(self.values.text(given), self.values, self.call)

    def says(self, name: str) -> object:
        """Return the value of an argument by its name; None without one."""
        given = keyword(self.call, name)
        return self.values.value(given) if given is not None else None


def with_schema(table: str, values: Values, call: ast.Call) -> str:
    """Return `schema.table` where a call names the schema."""
    schema = values.text(keyword(call, "schema", "source_schema"))
    return f"{schema}.{table}" if schema and table else table


def operation_steps(operation: Operation) -> Iterator[Step]:
    """Yield the steps of a call; nothing for what changes no schema, or is not known."""
    name = called_name(operation.call)
    if name == "create_table":
        yield Step(StepKind.CREATE_TABLE, operation.site, operation.table(0, "table_name"))
    elif name == "drop_table":
        yield Step(StepKind.DROP_TABLE, operation.site, operation.table(0, "table_name"))
    elif name == "rename_table":
        old, new = operation.table(0, "old_table_name"), operation.text(1, "new_table_name")
        yield Step(StepKind.RENAME_TABLE, operation.site, old, new)
    elif name in ("create_index", "drop_index"):
        yield _index(operation, is_new=name == "create_index")
    elif name == "add_column":
        yield from _column(operation)
    elif name == "drop_column":
        yield Step(
            StepKind.DROP_COLUMN, operation.site, operation.table(0, "table_name"), operation.text(1, "column_name")
        )
    elif name == "alter_column":
        yield from _altered(operation)
    elif name.startswith("create_") and name.endswith(("_key", "_constraint")):
        yield from _constraint(operation, name)
    elif name == "drop_constraint":
        table = operation.table(1, "table_name")
        found = operation.text(0, "constraint_name", after_table=False)
        yield Step(StepKind.DROP_CONSTRAINT, operation.site, table, found)


def _index(operation: Operation, *, is_new: bool) -> Step:
    is_concurrent = operation.says("postgresql_concurrently")
    return Step(
        StepKind.CREATE_INDEX if is_new else StepKind.DROP_INDEX,
        operation.site,
        operation.table(1, "table_name"),
        operation.text(0, "index_name", after_table=False),
        # what only running tells is taken for the careful way
        is_concurrent=bool(is_concurrent),
        in_autocommit=is_concurrent is UNKNOWN,
        columns=operation.texts(2, "columns") if is_new else (),
        constraint="unique" if operation.says("unique") is True else "",
    )


def _column(operation: Operation) -> Iterator[Step]:
    table, values = operation.table(0, "table_name"), operation.values
    given = operation.argument(1, "column")
    column = values.node(given) if given is not None else None
    if not isinstance(column, ast.Call) or called_name(column) != "Column":
        yield Step(StepKind.ADD_COLUMN, operation.site, table)
        return
    name = values.text(keyword(column, "name") or (column.args[0] if column.args else None))
    objects = [values.node(each) for each in column.args[1:]]
    calls = [each for each in objects if isinstance(each, ast.Call)]
    type_name = type_text(keyword(column, "type_") or next(iter(objects), None), values)
    is_numbered = _is_numbered(column, type_name, values)
    computed = is_numbered or any(called_name(each) in _COMPUTED and not _is_virtual(each) for each in calls)
    default = keyword(column, "server_default")
    has_default = default is not None and values.value(default) is not None
    yield Step(
        StepKind.ADD_COLUMN,
        operation.site,
        table,
        name,
        type=type_name,
        is_nullable=_is_nullable(column, values),
        has_default=has_default or is_numbered or any(called_name(each) in _COMPUTED for each in calls),
        is_default_volatile=computed or (has_default and default is not None and _is_volatile(default, values)),
    )
    if any(called_name(each) == "ForeignKey" for each in calls):
        yield Step(StepKind.ADD_CONSTRAINT, operation.site, table, constraint="foreign key", columns=(name,))
    if values.value(keyword(column, "unique") or ast.Constant(False)) is True:
        yield Step(StepKind.ADD_CONSTRAINT, operation.site, table, constraint="unique", columns=(name,))


def _is_numbered(column: ast.Call, type_name: str, values: Values) -> bool:
    """Whether SQLAlchemy makes a SERIAL of a column: a primary key of integers, unless it is told not to."""
    is_key = values.value(keyword(column, "primary_key") or ast.Constant(False)) is True
    told = values.value(keyword(column, "autoincrement") or ast.Constant("auto"))
    return is_key and type_name in ("integer", "bigint", "smallint") and told is not False


def _is_virtual(computed: ast.Call) -> bool:
    persisted = keyword(computed, "persisted")
    return isinstance(persisted, ast.Constant) and persisted.value is False


def _is_nullable(column: ast.Call, values: Values) -> bool | None:
    said = keyword(column, "nullable")
    if said is not None:
        found = values.value(said)
        return found if isinstance(found, bool) else None
    return values.value(keyword(column, "primary_key") or ast.Constant(False)) is False


def _is_volatile(default: ast.expr, values: Values) -> bool:
    """Whether a default is computed for each row: `text("gen_random_uuid()")`, `func.random()`; a text is a value."""
    default = values.node(default)
    if isinstance(default, ast.Constant) or not isinstance(default, ast.Call):
        return False
    inner = values.sql(default)
    return is_volatile_default(inner if inner else f"{called_name(default)}()")


def _altered(operation: Operation) -> Iterator[Step]:
    table, column = operation.table(0, "table_name"), operation.text(1, "column_name")
    values, call = operation.values, operation.call
    found = 0
    new_type, is_restated = keyword(call, "type_"), _is_restated(call)
    if new_type is not None and not is_restated:
        old, new = type_text(keyword(call, "existing_type"), values), type_text(new_type, values)
        using = keyword(call, "postgresql_using") is not None
        found += 1
        yield Step(StepKind.ALTER_TYPE, operation.site, table, column, type=new, old_type=old, has_using=using)
    is_renamed = keyword(call, "new_column_name") is not None
    if operation.says("nullable") is False and operation.says("existing_nullable") is not False and not is_renamed:
        found += 1
        yield Step(StepKind.SET_NOT_NULL, operation.site, table, column)
    others = {each.arg for each in call.keywords} & {"nullable", "server_default", "new_column_name"}
    if not found and others:
        yield Step(StepKind.OTHER, operation.site, table, column, is_exclusive=True)


def _is_restated(call: ast.Call) -> bool:
    """Whether the type may be told for MySQL's sake, which wants it with every change of a column."""
    others = {each.arg for each in call.keywords} & {"nullable", "server_default", "new_column_name"}
    return bool(others) and keyword(call, "existing_type") is None and keyword(call, "postgresql_using") is None


def _constraint(operation: Operation, name: str) -> Iterator[Step]:
    kind = name.removeprefix("create_").removesuffix("_constraint").replace("_", " ")
    if kind not in ("foreign key", "check", "unique", "primary key", "exclude"):
        return
    values = operation.values
    columns: tuple[str, ...] = ()
    if kind == "check":
        condition = operation.argument(2, "condition")
        columns = not_null_columns(values.sql(condition)) if condition is not None else ()
    elif kind != "exclude":
        columns = operation.texts(3 if kind == "foreign key" else 2, "local_cols", "columns")
    yield Step(
        StepKind.ADD_CONSTRAINT,
        operation.site,
        operation.table(1, "source_table", "table_name"),
        operation.text(0, "constraint_name", "name", after_table=False),
        constraint=kind,
        is_valid=not operation.says("postgresql_not_valid"),
        columns=columns,
    )


def without_placeholder(name: str) -> str:
    """Return a table's name without the part that nobody knows; "" where that is the table itself."""
    *schema, table = name.split(".")
    if PLACEHOLDER in table:
        return ""
    return ".".join([*(part for part in schema if PLACEHOLDER not in part), table])
