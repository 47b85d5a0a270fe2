"""Tells which table a migration's code means by a model, by `table(...)`, or by what it makes and empties of these."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from pytest_dbguard.core.findings import Site
from pytest_dbguard.linting.alembic_values import Values, called_name
from pytest_dbguard.schema.migration import Step, StepKind

_TABLES = frozenset({"table", "Table", "TableClause"})


def table_names(tree: ast.Module) -> Mapping[str, str]:
    """Return the tables of the models that a script declares, by class."""
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {found.name: table for found in classes if (table := _table_name(found))}


def _table_name(found: ast.ClassDef) -> str:
    for node in found.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and _is_table_name(node.targets[0]):
            return str(node.value.value)
    return ""


def _is_table_name(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "__tablename__"


def named_table(node: ast.expr, values: Values, models: Mapping[str, str]) -> str:
    """Return the table that code means: a model, `Model.__table__`, `sa.table("orders", ...)`; "" for others."""
    if isinstance(node, ast.Name) and node.id in models:
        return models[node.id]
    node = values.node(node)
    if isinstance(node, ast.Attribute) and node.attr == "__table__":
        return named_table(node.value, values, models)
    if isinstance(node, ast.Call) and called_name(node) in _TABLES and node.args:
        return values.text(node.args[0])
    return ""


def made_table(call: ast.Call, values: Values, models: Mapping[str, str], site: Site) -> Step | None:
    """Return the step of `Model.__table__.create(...)`, and of a function from elsewhere called `create_table`."""
    if isinstance(call.func, ast.Name) and call.func.id == "create_table" and call.args:
        return Step(StepKind.CREATE_TABLE, site, values.text(call.args[0]))
    if isinstance(call.func, ast.Attribute) and call.func.attr == "create":
        table = named_table(call.func.value, values, models)
        return Step(StepKind.CREATE_TABLE, site, table) if table else None
    return None


def emptied_table(node: ast.expr, values: Values, models: Mapping[str, str]) -> str:
    """Return the table of which code deletes every row: `delete(T)`, `T.delete()`, `session.query(T).delete()`."""
    node = values.node(node)
    if not isinstance(node, ast.Call) or called_name(node) != "delete":
        return ""
    if node.args and (table := named_table(node.args[0], values, models)):
        return table
    if not isinstance(node.func, ast.Attribute):
        return ""
    receiver = values.node(node.func.value)
    if isinstance(receiver, ast.Call) and called_name(receiver) == "query" and receiver.args:
        return named_table(receiver.args[0], values, models)
    return named_table(node.func.value, values, models)
