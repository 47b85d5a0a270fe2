"""Decides the conditions by which a migration asks for the database: `if bind.dialect.name == "postgresql":`."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from pytest_dbguard.linting.alembic_values import Values

_ASKS = re.compile(
    r"dialect|engine\.name|bind\.name|drivername|backend_name|\bdb_?type\b|\bengine_?name\b", re.IGNORECASE
)
_KNOWN = ("postgresql", "postgres", "sqlite", "mysql", "mariadb", "mssql", "oracle", "cockroachdb")
_CLASSES = (("pgdialect", "postgresql"), ("postgres", "postgresql"), ("sqlite", "sqlite"), ("mysql", "mysql"))
_MAX_DEPTH = 6


class DialectGuards:
    """Decides conditions for one dialect."""

    def __init__(self, target: str, functions: Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> None:
        """Make it for a dialect; `functions` are the module's own, which conditions may call."""
        self._target = "postgres" if target.startswith("postgres") else target
        self._functions = functions

    def decide(self, test: ast.expr, values: Values, depth: int = 0) -> bool | None:
        """Return what a condition is for the dialect; None where it asks for something else."""
        if depth > _MAX_DEPTH:
            return None
        test = values.node(test)
        match test:
            case ast.UnaryOp(op=ast.Not()):
                inner = self.decide(test.operand, values, depth + 1)
                return None if inner is None else not inner
            case ast.BoolOp():
                return self._joined(test, values, depth)
            case ast.Compare(ops=[operator], comparators=[other]):
                return self._compared(test.left, operator, other, values)
            case ast.Call(func=ast.Name(id=name)) if name in self._functions:
                return self._returned(self._functions[name], values, depth)
            case ast.Call(func=ast.Name(id="isinstance"), args=[asked, kind]) if _ASKS.search(ast.unparse(asked)):
                found = [known for known in _CLASSES if known[0] in ast.unparse(kind).lower()]
                return any(self._is(name) for _, name in found) if found else None
            case ast.Call(func=ast.Attribute(attr="startswith", value=asked), args=[ast.Constant(value=str(prefix))]):
                return self._is(prefix) if _ASKS.search(ast.unparse(asked)) else None
        return None

    def _joined(self, test: ast.BoolOp, values: Values, depth: int) -> bool | None:
        found = [self.decide(each, values, depth + 1) for each in test.values]
        settles = isinstance(test.op, ast.Or)
        if settles in found:
            return settles
        return None if None in found else not settles

    def _returned(self, function: ast.FunctionDef | ast.AsyncFunctionDef, values: Values, depth: int) -> bool | None:
        """Return what a function of one `return` says."""
        last = function.body[-1]
        if not isinstance(last, ast.Return) or last.value is None:
            return None
        inner = values.inner({})
        for statement in function.body[:-1]:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                inner.bind(statement.targets[0].id, statement.value)
        return self.decide(last.value, inner, depth + 1)

    def _compared(self, left: ast.expr, operator: ast.cmpop, right: ast.expr, values: Values) -> bool | None:
        names = [name.lower() for name in (*values.texts(right), *values.texts(left))]
        asked = values.node(left if values.texts(right) else right)
        if not names or not any(name.startswith(_KNOWN) for name in names) or not _is_asked(asked, left):
            return None
        found = any(self._is(name) for name in names)
        return found if isinstance(operator, ast.Eq | ast.In | ast.Is) else not found

    def _is(self, name: str) -> bool:
        return name.lower().startswith(self._target) or self._target.startswith(name.lower())


def _is_asked(asked: ast.expr, left: ast.expr) -> bool:
    """Whether the code that is compared gives the dialect, by what it says or what it is called."""
    return bool(_ASKS.search(ast.unparse(asked)) or _ASKS.search(ast.unparse(left)))
