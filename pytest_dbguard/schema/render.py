"""A catalog as lines for people."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from pytest_dbguard.schema.catalog import (
    Catalog,
    Column,
    Dialect,
    ForeignKey,
    Index,
    IndexKey,
    RelationKind,
    Table,
)

_DEFAULT_METHOD: Final = "btree"
_WIDEST_CELL: Final = 32

Paint = Callable[[str, str], str]
"""Gives a text a style, by the style's name."""


def catalog_lines(
    catalog: Catalog,
    *,
    width: int = 80,
    rows: Mapping[tuple[str, str], str] | None = None,
    paint: Paint = lambda text, _: text,
) -> Iterator[str]:
    """Yield the lines: of each table its columns, keys, indexes, partitions; of a view its columns.

    Args:
        catalog: What to show.
        width: Characters that fit a line; names are never cut.
        rows: What is known of the rows of tables, by schema and name.
        paint: Gives names of tables their style.
    """
    yield _summary(catalog)
    partitions: dict[tuple[str, str], list[Table]] = {}
    for table in catalog.tables:
        if table.partition_of is not None:
            partitions.setdefault(table.partition_of, []).append(table)
    for table in catalog.tables:
        # A partition is told with its parent, unless there is more to tell of it.
        if table.partition_of is not None and not table.partition_key:
            continue
        known = (rows or {}).get((table.schema, table.name), "")
        title = ", ".join(note for note in (table.label, *_notes(table), known) if note)
        first, *others = _wrapped(title, width)
        yield ""
        yield first.replace(table.label, paint(table.label, "bold"), 1)
        yield from others
        below = partitions.get((table.schema, table.name), [])
        for line in (*_columns(table), *_parts(table, catalog), *_partitions(below)):
            yield from _wrapped(line, width)


def _wrapped(line: str, width: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    fitting = textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return fitting if len(line) > width else [line]


def _summary(catalog: Catalog) -> str:
    name = "PostgreSQL" if catalog.dialect is Dialect.POSTGRESQL else "SQLite"
    version = f" {catalog.version}" if catalog.version else ""
    of = " (as the models would make it)" if catalog.source == "metadata" else ""
    stored = sum(table.holds_rows or table.kind is RelationKind.PARTITIONED for table in catalog.tables)
    indexes = sum(len(table.indexes) for table in catalog.tables)
    provider, locale = catalog.collation.provider, catalog.collation.locale
    sorting = f", sorted by {locale} ({provider})" if provider else ""
    tables, told = ("table" if stored == 1 else "tables"), ("index" if indexes == 1 else "indexes")
    return f"{name}{version}{of}: {stored} {tables}, {indexes} {told}{sorting}"


def _notes(table: Table) -> Iterator[str]:
    if table.kind is RelationKind.PARTITIONED:
        yield f"partitioned by {table.partition_key}"
    elif table.kind is RelationKind.MATERIALIZED:
        yield "materialized view"
    elif table.kind is not RelationKind.TABLE and table.kind is not RelationKind.PARTITION:
        yield {"foreign": "foreign table", "virtual": "virtual table"}.get(table.kind, table.kind)
    if table.partition_of is not None:
        yield f"partition of {Table(*table.partition_of).label} {table.partition_bound}"
    for word, others in (("inherits", table.parents), ("reads", table.reads)):
        if others:
            yield f"{word} {' and '.join(Table(*other).label for other in others)}"
    if table.is_without_rowid:
        yield "without rowid"
    if table.is_temporary:
        yield "temporary"
    if table.is_unlogged:
        yield "unlogged"
    yield from table.options


def _columns(table: Table) -> Iterator[str]:
    names = min(max((len(column.name) for column in table.columns), default=0), _WIDEST_CELL)
    types = min(max((len(column.type) for column in table.columns), default=0), _WIDEST_CELL)
    for column in table.columns:
        words = ", ".join(_column_notes(column))
        yield f"  {column.name:<{names}}  {column.type:<{types}}  {words}".rstrip()


def _column_notes(column: Column) -> Iterator[str]:
    if not column.nullable:
        yield "not null"
    if column.is_identity:
        yield "identity"
    if column.is_generated:
        yield f"{'computed' if column.is_virtual else 'stored'} as {column.default}"
    if column.collation:
        yield f"collation {column.collation}"
    if column.base_type:
        yield f"a domain over {column.base_type}"
    if column.labels:
        yield f"{column.labels} labels"


def _parts(table: Table, catalog: Catalog) -> Iterator[str]:
    indexes = sorted(table.indexes, key=lambda index: (not index.is_primary, not index.is_constraint, index.name))
    for index in indexes:
        yield f"  {_index(index, catalog.dialect)}"
    for key in table.foreign_keys:
        yield f"  {_foreign_key(key)}"
    for statistics in table.statistics:
        yield f"  statistics {statistics.name} ({', '.join(statistics.kinds)}) on {', '.join(statistics.columns)}"


def _index(index: Index, dialect: Dialect) -> str:
    """Return an index in one line, with all that decides what it serves."""
    kind = "index"
    if index.is_primary:
        kind = "primary key"
    elif index.is_constraint:
        kind = "unique" if index.is_unique else "exclusion"
    elif index.is_unique:
        kind = "unique index"
    keys = ", ".join(_key(key, index, dialect) for key in index.keys)
    parts = [kind, *([index.name] if index.name else ["(rowid)"]), f"({keys})"]
    if index.method != _DEFAULT_METHOD:
        parts.append(f"using {index.method}")
    if index.include:
        parts.append(f"include ({', '.join(index.include)})")
    if not index.nulls_distinct:
        parts.append("nulls not distinct")
    if index.predicate:
        parts.append(f"where {index.predicate}")
    if not index.is_valid:
        parts.append("INVALID")
    return " ".join(parts)


def _key(key: IndexKey, index: Index, dialect: Dialect) -> str:
    parts = [key.label]
    if key.collation:
        parts.append(f"collate {key.collation}")
    if key.operator_class:
        parts.append(key.operator_class)
    if key.descending:
        parts.append("desc")
    is_sorted = dialect is Dialect.POSTGRESQL and index.method == _DEFAULT_METHOD
    if is_sorted and key.nulls_first != key.descending:
        parts.append(f"nulls {'first' if key.nulls_first else 'last'}")
    return " ".join(parts)


def _foreign_key(key: ForeignKey) -> str:
    referred = Table(key.referred_schema, key.referred_table).label
    actions = [
        f"on {event} {action.lower()}"
        for event, action in (("delete", key.on_delete), ("update", key.on_update))
        if action != "NO ACTION"
    ]
    columns, others = ", ".join(key.columns), ", ".join(key.referred_columns)
    return " ".join(["foreign key", f"({columns})", "to", f"{referred} ({others})", *actions])


def _partitions(tables: Iterable[Table]) -> Iterator[str]:
    yield from (f"  partition {table.label} {table.partition_bound}" for table in tables)
