"""Reads Alembic's revision scripts: what `upgrade()` does to the schema, told by the code without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pytest_dbguard.linting.alembic_environment import AlembicEnvironment, environment_of
from pytest_dbguard.linting.alembic_tables import table_names
from pytest_dbguard.linting.alembic_values import Values
from pytest_dbguard.linting.alembic_walk import Function, UpgradeWalk
from pytest_dbguard.linting.ddl_steps import dialect_in_path
from pytest_dbguard.schema.migration import Migration, Step, StepKind

_MARKS: Final = ("revision", "def upgrade")
_DIALECTS: Final = ("postgresql", "sqlite", "mysql")


def alembic_migration(source: str, path: str, *, root: Path | None = None, dialect: str = "") -> Migration | None:
    """Return what a revision script changes; None for other code, and for what Python cannot read.

    Functions of the script that `upgrade` calls are followed, loops over lists that stand in it are run, SQL that it
    executes is read. Of branches that ask for the dialect those of one dialect are read: of the one that is told,
    else of PostgreSQL.

    Args:
        source: Of the script.
        path: Relative to the root, with "/".
        root: Directory under which env.py and alembic.ini are looked for; None to read neither.
        dialect: Where it is known; else the script and the files around it tell, "" where they do not.
    """
    if not all(mark in source for mark in _MARKS):
        return None
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None
    values = _module_values(tree)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    revision = values.text(ast.Name("revision"))
    if "upgrade" not in functions or not revision:
        return None
    around = environment_of(path, root) if root is not None else AlembicEnvironment()
    named = dialect or _dialect_of(tree) or dialect_in_path(path) or around.dialect
    models = table_names(tree)
    walk = UpgradeWalk(path, functions, _operations(tree), models, named or "postgresql")
    for function in _upgrades(functions):
        walk.function(function, values, {})
    return Migration(
        path,
        named,
        (*_timeouts(around), *walk.steps),
        revision,
        is_transactional=around.is_transactional,
        is_first=_is_first(values),
    )


def _module_values(tree: ast.Module) -> Values:
    values = Values()
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        given = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if given is not None and len(targets) == 1 and isinstance(targets[0], ast.Name):
            values.bind(targets[0].id, given)
    return values


def _operations(tree: ast.Module) -> frozenset[str]:
    """Return the names of `op`, and of operations that are imported by themselves."""
    names = {"op"}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "alembic":
            names |= {alias.asname or alias.name for alias in node.names if alias.name == "op"}
        elif isinstance(node, ast.ImportFrom) and node.module == "alembic.op":
            names |= {alias.name for alias in node.names if alias.asname is None}
    return frozenset(names)


def _upgrades(functions: dict[str, Function]) -> Iterator[Function]:
    """Yield `upgrade`, and what the template for several databases makes it call by name."""
    upgrade = functions["upgrade"]
    yield upgrade
    if any(isinstance(node, ast.Name) and node.id == "globals" for node in ast.walk(upgrade)):
        yield from (function for name, function in functions.items() if name.startswith("upgrade_"))


def _timeouts(around: AlembicEnvironment) -> Iterator[Step]:
    if around.lock_timeout is not None:
        yield Step(StepKind.SET_TIMEOUT, around.lock_timeout, name="lock_timeout")


def _is_first(values: Values) -> bool:
    """Whether no revision comes before it; a branch of its own may find the tables of others."""
    before = ("down_revision", "branch_labels", "depends_on")
    return all(values.value(ast.Name(name)) is None for name in before[:1]) and not any(
        values.texts(ast.Name(name)) for name in before[1:]
    )


def _dialect_of(tree: ast.Module) -> str:
    """Return the one dialect whose types or options the script uses; "" where it uses none, or several.

    Types of SQLite are mostly there as variants, beside those of the others.
    """
    found = {dialect for name in _names(tree) for dialect in _DIALECTS if _belongs(name, dialect)}
    if found == {"sqlite"} and _has_variants(tree):
        return ""
    return found.pop() if len(found) == 1 else ""


def _has_variants(tree: ast.Module) -> bool:
    named = (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return any(name in ("with_variant", "dialect") for name in named)


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy.dialects"):
            module = (node.module or "").removeprefix("sqlalchemy.dialects").lstrip(".")
            yield from [module] if module else [alias.name for alias in node.names]


def _belongs(name: str, dialect: str) -> bool:
    return name == dialect or name.startswith((f"{dialect}_", f"{dialect}."))
