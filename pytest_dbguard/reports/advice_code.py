"""Advice as code: SQL statements, SQLAlchemy's Index(...), and a whole Alembic migration that locks no writes out."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_dbguard.planning.advice.drops import REVIEW
from pytest_dbguard.planning.advice.model import Advice, DroppedIndex
from pytest_dbguard.planning.candidates.spelling import alembic_code, ddl, name_of, sqlalchemy_code
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.reports.python_code import fit_code
from pytest_dbguard.schema.catalog import Catalog, Dialect, Index, IndexKey, RelationKind, Table
from pytest_dbguard.schema.quoting import qualified, quoted

_WIDTH = 100
_INDENT = "    "


def sql_statements(advice: Advice, catalog: Catalog) -> tuple[str, ...]:
    """Return the statements that make and drop the indexes, new ones first, each with its semicolon.

    On PostgreSQL CONCURRENTLY, which does not work inside of a transaction. What is only to be reviewed is a comment.
    """
    made = (
        f"{ddl(each.spec, catalog.dialect, concurrently=_is_concurrent(catalog, each.spec))};"
        for each in advice.indexes
    )
    return (*made, *(_drop_statement(each, catalog) for each in advice.drops))


def _drop_statement(dropped: DroppedIndex, catalog: Catalog) -> str:
    table = _table(catalog, dropped)
    is_concurrent = catalog.dialect is Dialect.POSTGRESQL and (
        table is None or table.kind is not RelationKind.PARTITIONED
    )
    how = "CONCURRENTLY " if is_concurrent else ""
    schema = dropped.schema if dropped.schema != "public" else ""
    mark = "-- to review: " if dropped.reason == REVIEW else ""
    return f"{mark}DROP INDEX {how}{qualified(schema, dropped.name)};"


def _is_concurrent(catalog: Catalog, spec: IndexSpec) -> bool:
    table = catalog.table(spec.table, spec.schema)
    return catalog.dialect is Dialect.POSTGRESQL and (table is None or table.kind is not RelationKind.PARTITIONED)


def _table(catalog: Catalog, dropped: DroppedIndex) -> Table | None:
    return next((t for t in catalog.tables if t.label == dropped.table and t.schema == dropped.schema), None)


def sqlalchemy_lines(advice: Advice) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return for each table `Index(...)` of its new indexes, as they are put into `__table_args__`."""
    by_table: dict[str, list[str]] = {}
    for each in advice.indexes:
        label = each.spec.table if each.spec.schema in ("", "public") else f"{each.spec.schema}.{each.spec.table}"
        by_table.setdefault(label, []).append(f"{sqlalchemy_code(each.spec, name_of(each.spec))},")
    return tuple((label, tuple(lines)) for label, lines in sorted(by_table.items()))


def revision_of(advice: Advice, catalog: Catalog) -> str:
    """Return the id of the revision, the same for the same changes; "" where there is nothing to change."""
    upgrade = _upgrade(advice, catalog)
    return hashlib.sha256("\n".join(upgrade).encode()).hexdigest()[:12] if upgrade else ""


def _upgrade(advice: Advice, catalog: Catalog) -> list[str]:
    drops = (_drop(each.table, each.name, each.schema, catalog) for each in _sure(advice))
    return [*_creates(advice, catalog), *drops]


def alembic_revision(advice: Advice, catalog: Catalog, heads: Iterable[str] = ()) -> str:
    """Return a complete revision file; `heads` are the revisions that it follows."""
    upgrade = _upgrade(advice, catalog)
    undone = (
        _drop(_label(each.spec), name_of(each.spec), each.spec.schema, catalog) for each in reversed(advice.indexes)
    )
    downgrade = [*_recreates(advice, catalog), *undone]
    revision = revision_of(advice, catalog)
    body = [*_function("upgrade", upgrade, catalog), "", "", *_function("downgrade", downgrade, catalog)]
    return "\n".join([*_head(advice, revision, tuple(heads)), *body]) + "\n"


def _head(advice: Advice, revision: str, heads: tuple[str, ...]) -> list[str]:
    count = len(advice.indexes)
    down = repr(heads[0] if len(heads) == 1 else heads) if heads else "None  # the revision that this one follows"
    return [
        f'"""Make {count} {"index" if count == 1 else "indexes"} that dbguard advises."""',
        "",
        "import sqlalchemy as sa  # noqa: F401  for indexes on expressions",
        "from alembic import op",
        "",
        f'revision = "{revision}"',
        f"down_revision = {down}".replace("'", '"'),
        "branch_labels = None",
        "depends_on = None",
        "",
        "",
    ]


def _function(name: str, operations: list[str], catalog: Catalog) -> Iterator[str]:
    yield f"def {name}() -> None:"
    indent = _INDENT
    if not operations:
        yield f"{indent}pass"
        return
    if catalog.dialect is Dialect.POSTGRESQL:
        yield f"{indent}# made concurrently, an index locks no writes out; that works outside of transactions only"
        yield f"{indent}with op.get_context().autocommit_block():"
        indent += _INDENT
    for operation in operations:
        yield from (f"{indent}{line}" for line in fit_code(operation, _WIDTH - len(indent)))


def _creates(advice: Advice, catalog: Catalog) -> Iterator[str]:
    yield from (_create(each.spec, name_of(each.spec), catalog) for each in advice.indexes)


def _create(spec: IndexSpec, name: str, catalog: Catalog) -> str:
    code = alembic_code(spec, name, catalog.dialect).splitlines()[-1]
    return f"{code[:-1]}, postgresql_concurrently=True)" if _is_concurrent(catalog, spec) else code


def _drop(table: str, name: str, schema: str, catalog: Catalog) -> str:
    more = [f"schema={json.dumps(schema)}"] if schema not in ("", "public") else []
    found = next((each for each in catalog.tables if each.label == table), None)
    if catalog.dialect is Dialect.POSTGRESQL and (found is None or found.kind is not RelationKind.PARTITIONED):
        more.append("postgresql_concurrently=True")
    bare = found.name if found is not None else table
    return f"op.drop_index({', '.join([json.dumps(name), f'table_name={json.dumps(bare)}', *more])})"


def _label(spec: IndexSpec) -> str:
    return spec.table if spec.schema in ("", "public") else f"{spec.schema}.{spec.table}"


def _sure(advice: Advice) -> Iterator[DroppedIndex]:
    return (each for each in advice.drops if each.reason != REVIEW)


def _recreates(advice: Advice, catalog: Catalog) -> Iterator[str]:
    for each in _sure(advice):
        table = _table(catalog, each)
        index = next((one for one in table.indexes if one.name == each.name), None) if table is not None else None
        if table is not None and index is not None:
            yield _create(spec_of_index(table, index), index.name, catalog)


def spec_of_index(table: Table, index: Index) -> IndexSpec:
    """Return an index that exists as one that is to be made."""
    return IndexSpec(
        table.schema,
        table.name,
        tuple(map(_key, index.keys)),
        index.columns,
        predicate=index.predicate,
        method=index.method,
        is_unique=index.is_unique,
        include=index.include,
        name=index.name,
    )


def _key(key: IndexKey) -> str:
    text = quoted(key.column) if key.column is not None else f"({key.expression})"
    text += f" COLLATE {key.collation}" if key.collation else ""
    text += f" {key.operator_class}" if key.operator_class else ""
    text += " DESC" if key.descending else ""
    if key.nulls_first != key.descending:
        text += " NULLS FIRST" if key.nulls_first else " NULLS LAST"
    return text


def heads_in(directory: Path, *, without: str = "") -> tuple[str, ...]:
    """Return the revisions in a directory that no other one there follows, as if one of them were not there."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in sorted(directory.glob("*.py")):
        values = _assigned(path)
        if isinstance(values.get("revision"), str) and values["revision"] != without:
            revisions.add(str(values["revision"]))
            down = values.get("down_revision")
            followed |= {down} if isinstance(down, str) else set(down) if isinstance(down, (tuple, list)) else set()
    return tuple(sorted(revisions - followed))


def _assigned(path: Path) -> dict[str, object]:
    """Return what a file assigns to `revision` and `down_revision`, where that is a literal."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    found: dict[str, object] = {}
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names = [each.id for each in targets if isinstance(each, ast.Name)]
        if (
            isinstance(node, (ast.Assign, ast.AnnAssign))
            and node.value is not None
            and {"revision", "down_revision"} & {*names}
        ):
            try:
                found |= {name: ast.literal_eval(node.value) for name in names}
            except ValueError:
                continue
    return found
