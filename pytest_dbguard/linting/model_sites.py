"""Tells in which lines of a project its tables, columns and indexes are declared."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_dbguard.core.findings import Finding, Site

TableSites = Mapping[tuple[str, str], Site]
"""Places by (table, name of a column, attribute, index or constraint); "" is the table itself."""

_NAME = re.compile(r"\w+")
_NAMED_BY_FIRST = frozenset({"Index", "Column"})
"""Calls whose first argument is the name of what they make."""


@dataclass(frozen=True, slots=True)
class _Source:
    """One file that declares tables: its path as shown, and its tree."""

    path: str
    tree: ast.Module


def model_sites(bases: Iterable[Any], root: Path) -> dict[tuple[str, str], Site]:
    """Return where tables and what belongs to them are declared, as far as sources tell; never raises.

    Args:
        bases: Declarative bases, registries or MetaData.
        root: Directory that paths are shown relative to.
    """
    found: dict[tuple[str, str], Site] = {}
    sources: dict[str, _Source | None] = {}
    for base in bases:
        metadata = getattr(base, "metadata", base)
        modules = [module for module in list(sys.modules.values()) if _lies_below(module, root)]
        for mapper in _mappers(base, metadata, modules):
            for name, site in _of_class(mapper, sources, root):
                found.setdefault(name, site)
        tables = {str(table.name) for table in getattr(metadata, "tables", {}).values()}
        for source in _with_tables(modules, metadata, sources, root):
            for name, site in _of_table_calls(source, tables):
                found.setdefault(name, site)
    return found


def site_of(finding: Finding, sites: TableSites) -> Site | None:
    """Return where the models declare what a finding about a table is about: its index or column, else the table."""
    label, _, rest = finding.subject.partition("(")
    parts = label.strip().split(".")
    names = [*_NAME.findall(rest), *reversed(parts)]
    for table in parts:
        if (table, "") in sites:
            places = (sites[table, name] for name in names if name != table and (table, name) in sites)
            return next(places, sites[table, ""])
    return next((site for (_, name), site in sites.items() if name and name == finding.subject), None)


def _mappers(base: Any, metadata: Any, modules: Iterable[Any]) -> list[Any]:
    """Return the mappers of a base, or those of classes in modules whose tables are in a MetaData."""
    found = set(getattr(getattr(base, "registry", base), "mappers", ()))
    values = (value for module in modules for value in list(vars(module).values()) if isinstance(value, type))
    mappers = (vars(value).get("__mapper__") for value in values)
    found |= {each for each in mappers if each is not None and each.local_table.metadata is metadata}
    return sorted(found, key=lambda mapper: (mapper.class_.__module__, mapper.class_.__qualname__))


def _of_class(mapper: Any, sources: dict[str, _Source | None], root: Path) -> Iterator[tuple[tuple[str, str], Site]]:
    table = getattr(mapper.local_table, "name", None)
    if table is None:
        return
    columns = {name: str(column.name) for column, name in _attribute_names(mapper)}
    for number, owner in enumerate(mapper.class_.__mro__[:-1]):
        module = sys.modules.get(owner.__module__)
        source = _source_of(module, sources, root) if _lies_below(module, root) else None
        node = _class_node(source, owner.__qualname__) if source is not None else None
        if source is None or node is None:
            continue
        if number == 0:
            yield (str(table), ""), _site(source, node, owner.__qualname__)
        for name, place in _declared(node):
            yield (str(table), columns.get(name, name)), _site(source, place, owner.__qualname__)


def _attribute_names(mapper: Any) -> Iterator[tuple[Any, str]]:
    for attribute in mapper.column_attrs:
        for column in attribute.columns:
            yield column, attribute.key


def _declared(node: ast.ClassDef) -> Iterator[tuple[str, ast.AST]]:
    """Yield the names that a class declares: its attributes, and the indexes and constraints of its table."""
    for statement in node.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        if isinstance(target, ast.Name):
            yield target.id, statement
            yield from _named_calls(statement)


def _named_calls(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the calls that have a name: `Index("ix_orders_city", ...)`, `UniqueConstraint("number", name="uq_x")`."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            named = [keyword.value for keyword in call.keywords if keyword.arg == "name"]
            first = call.args[:1] if _called(call) in _NAMED_BY_FIRST else []
            for value in (*first, *named):
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value, call


def _class_node(source: _Source, qualified: str) -> ast.ClassDef | None:
    body: list[ast.stmt] = source.tree.body
    found: ast.ClassDef | None = None
    for name in qualified.split("."):
        if name == "<locals>":
            return next((each for each in _classes(source.tree) if each.name == qualified.rpartition(".")[2]), None)
        found = next((each for each in _classes_in(body) if each.name == name), None)
        if found is None:
            functions = (each for each in body if isinstance(each, ast.FunctionDef) and each.name == name)
            function = next(functions, None)
            body = function.body if function is not None else []
            continue
        body = found.body
    return found


def _classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def _classes_in(body: list[ast.stmt]) -> Iterator[ast.ClassDef]:
    """Yield the classes of a body, also those below `if` and `try`."""
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield statement
        elif isinstance(statement, ast.If | ast.Try):
            yield from _classes_in([each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.stmt)])


def _with_tables(
    modules: Iterable[Any], metadata: Any, sources: dict[str, _Source | None], root: Path
) -> Iterator[_Source]:
    """Yield the modules that hold tables of a MetaData, which may be declared without a class."""
    for module in modules:
        # by where its class stands: proxies of other packages answer for whatever they stand for
        values = (value for value in list(vars(module).values()) if type(value).__module__.startswith("sqlalchemy."))
        if any(getattr(value, "metadata", None) is metadata for value in values):
            source = _source_of(module, sources, root)
            if source is not None:
                yield source


def _lies_below(module: Any, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and Path(file).is_relative_to(root) and "site-packages" not in Path(file).parts


def _of_table_calls(source: _Source, tables: set[str]) -> Iterator[tuple[tuple[str, str], Site]]:
    for call in ast.walk(source.tree):
        if not isinstance(call, ast.Call) or _called(call) != "Table" or not call.args:
            continue
        first = call.args[0]
        if isinstance(first, ast.Constant) and first.value in tables:
            yield (str(first.value), ""), _site(source, call, "")
            for argument in call.args[1:]:
                for name, place in _named_calls(argument):
                    yield (str(first.value), name), _site(source, place, "")


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _source_of(module: Any, sources: dict[str, _Source | None], root: Path) -> _Source | None:
    file = getattr(module, "__file__", None)
    if not file:
        return None
    if file not in sources:
        sources[file] = _parsed(module, Path(file), root)
    return sources[file]


def _parsed(module: Any, path: Path, root: Path) -> _Source | None:
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    return _Source(shown, tree)


def _site(source: _Source, node: ast.AST, function: str) -> Site:
    line, column = int(getattr(node, "lineno", 1)), int(getattr(node, "col_offset", 0)) + 1
    return Site(source.path, line, column, function)
