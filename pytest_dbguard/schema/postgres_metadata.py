"""The catalog that PostgreSQL would have after `create_all`, put together from the tables of a `MetaData`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from pytest_dbguard.schema.catalog import (
    Catalog,
    Check,
    Dialect,
    ForeignKey,
    Index,
    IndexKey,
    RelationKind,
    Table,
)
from pytest_dbguard.schema.postgres_metadata_columns import DEFAULT_SCHEMA, ColumnWriter, generated_name
from pytest_dbguard.schema.postgres_type_names import CLASS_EXTENSIONS, EXTENSIONS
from pytest_dbguard.schema.quoting import qualified, quoted

_WORD: Final = re.compile(r"[^\W\d]\w*")


def postgres_catalog(metadata: sa.MetaData) -> Catalog:
    """Return the catalog; see `catalog_of_metadata`."""
    writer = _Writer()
    tables = []
    for table in metadata.tables.values():
        # Types of other databases, and tables that nobody defines: create_all would fail.
        with contextlib.suppress(sa.exc.SQLAlchemyError):
            tables.append(writer.table(table))
    return Catalog(
        Dialect.POSTGRESQL,
        tables=tuple(sorted(tables, key=lambda table: (table.schema, table.name))),
        search_path=(DEFAULT_SCHEMA,),
        prelude=tuple(_prelude(tables, writer.columns.made)),
        source="metadata",
    )


def _prelude(tables: Iterable[Table], made: dict[str, str]) -> Iterator[str]:
    schemas = {table.schema for table in tables} - {DEFAULT_SCHEMA}
    yield from (f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}" for schema in sorted(schemas))
    needed = {column.extension for table in tables for column in table.columns}
    needed |= {index.extension for table in tables for index in table.indexes}
    for name in sorted(needed - {""}):
        yield f"CREATE EXTENSION IF NOT EXISTS {quoted(name)} WITH SCHEMA {DEFAULT_SCHEMA} CASCADE"
    yield from (made[name] for name in sorted(made))


class _Writer:
    """Writes tables."""

    def __init__(self) -> None:
        self.columns = ColumnWriter()

    def table(self, table: sa.Table) -> Table:
        schema = table.schema or DEFAULT_SCHEMA
        options = table.dialect_options["postgresql"]
        indexes = [*self._keys(table), *(self._index(table, index) for index in table.indexes)]
        parents = options.get("inherits") or ()
        partition_key = options.get("partition_by") or ""
        return Table(
            schema,
            table.name,
            RelationKind.PARTITIONED if partition_key else RelationKind.TABLE,
            tuple(self.columns.column(table, column) for column in table.columns),
            primary_key=tuple(column.name for column in table.primary_key.columns),
            indexes=tuple(sorted(indexes, key=lambda index: index.name)),
            foreign_keys=tuple(sorted(self._foreign_keys(table), key=lambda key: (key.name, key.columns))),
            checks=tuple(sorted(self._checks(table), key=lambda check: check.name)),
            partition_key=partition_key,
            is_unlogged="UNLOGGED" in getattr(table, "_prefixes", ()),
            parents=tuple((DEFAULT_SCHEMA, name) for name in ([parents] if isinstance(parents, str) else parents)),
        )

    def _constraint_name(self, constraint: Any, *parts: str) -> str:
        named = constraint.name is not None
        name = self.columns.dialect.identifier_preparer.format_constraint(constraint) if named else None
        return name.strip('"').replace('""', '"') if name else generated_name(*parts)

    def _keys(self, table: sa.Table) -> Iterator[Index]:
        """Yield the indexes behind constraints."""
        for constraint in table.constraints:
            if isinstance(constraint, postgresql.ExcludeConstraint):
                yield self._exclusion(table, constraint)
            if not isinstance(constraint, sa.PrimaryKeyConstraint | sa.UniqueConstraint) or not constraint.columns:
                continue
            columns = [column.name for column in constraint.columns]
            is_primary = isinstance(constraint, sa.PrimaryKeyConstraint)
            options = constraint.dialect_options["postgresql"]
            include = tuple(getattr(column, "name", column) for column in options.get("include") or ())
            parts = (table.name, "pkey") if is_primary else (table.name, *columns, *include, "key")
            yield Index(
                self._constraint_name(constraint, *parts),
                tuple(IndexKey(column) for column in columns),
                is_unique=True,
                is_primary=is_primary,
                is_constraint=True,
                include=include,
                nulls_distinct=not options.get("nulls_not_distinct"),
                extension=self._extension(table, columns),
            )

    def _exclusion(self, table: sa.Table, constraint: postgresql.ExcludeConstraint) -> Index:
        # Not by AddConstraint, which has create_all leave the constraint out from then on.
        place = qualified(table.schema or DEFAULT_SCHEMA, table.name)
        ddl = f"ALTER TABLE {place} ADD {self.columns.ddl.process(constraint).strip()}"
        keys = tuple(self._index_key(table, expression, {}) for expression, _, _ in constraint._render_exprs)
        name = self._constraint_name(constraint, table.name, *(key.column or "" for key in keys), "excl")
        where = self.columns.sql(constraint.where) if constraint.where is not None else ""
        return Index(name, keys, method=constraint.using, is_constraint=True, predicate=where, ddl=ddl)

    def _index(self, table: sa.Table, index: sa.Index) -> Index:
        options = index.dialect_options["postgresql"]
        classes = options.get("ops") or {}
        where = options.get("where")
        keys = tuple(self._index_key(table, expression, classes) for expression in index.expressions)
        needed = {CLASS_EXTENSIONS.get(name, "") for name in classes.values()} - {""}
        # Storage parameters and what else the dialect knows are in the statement only.
        ddl = str(CreateIndex(index).compile(dialect=self.columns.dialect)).strip() if options.get("with") else ""
        return Index(
            self.columns.dialect.identifier_preparer.format_index(index).strip('"'),
            keys,
            method=options.get("using") or "btree",
            is_unique=bool(index.unique),
            include=tuple(getattr(column, "name", column) for column in options.get("include") or ()),
            predicate=self.columns.sql(where) if where is not None else "",
            nulls_distinct=not options.get("nulls_not_distinct"),
            ddl=ddl,
            extension=min(needed, default=self._extension(table, [key.column for key in keys])),
        )

    def _extension(self, table: sa.Table, columns: Iterable[str | None]) -> str:
        """Return the extension that the operator classes of columns come with."""
        types = (self.columns.type_name(table.columns[name].type) for name in columns if name is not None)
        return min(filter(None, (EXTENSIONS.get(kind.lower().partition("(")[0], "") for kind in types)), default="")

    def _index_key(self, table: sa.Table, expression: Any, classes: dict[str, str]) -> IndexKey:
        operator_class = classes.get(getattr(expression, "key", None) or "", "")
        text, descending, nulls_first = self.columns.sql(expression), False, None
        while True:
            upper = text.upper()
            if upper.endswith((" NULLS FIRST", " NULLS LAST")):
                nulls_first = upper.endswith("FIRST")
                text = text[: upper.rindex(" NULLS ")]
            elif upper.endswith((" DESC", " ASC")):
                descending = upper.endswith("DESC")
                text = text[: text.rindex(" ")]
            else:
                break
        column = next((column.name for column in table.columns if text in (column.name, quoted(column.name))), None)
        return IndexKey(
            column,
            expression="" if column is not None else text,
            operator_class=operator_class,
            descending=descending,
            nulls_first=descending if nulls_first is None else nulls_first,
        )

    def _foreign_keys(self, table: sa.Table) -> Iterator[ForeignKey]:
        for constraint in table.foreign_key_constraints:
            columns = tuple(column.name for column in constraint.columns)
            places = [element.target_fullname.split(".") for element in constraint.elements]
            schema = ".".join(places[0][:-2]) or DEFAULT_SCHEMA
            yield ForeignKey(
                self._constraint_name(constraint, table.name, *columns, "fkey"),
                columns,
                schema,
                places[0][-2],
                tuple(place[-1] for place in places),
                (constraint.ondelete or "NO ACTION").upper(),
                (constraint.onupdate or "NO ACTION").upper(),
            )

    def _checks(self, table: sa.Table) -> Iterator[Check]:
        for constraint in table.constraints:
            rule = getattr(constraint, "_create_rule", None)
            if isinstance(constraint, sa.CheckConstraint) and (rule is None or rule(self.columns.ddl)):
                text = self.columns.sql(constraint.sqltext)
                columns = {column.name for column in table.columns} & set(_WORD.findall(text))
                parts = (table.name, *(columns if len(columns) == 1 else ()), "check")
                yield Check(self._constraint_name(constraint, *parts), f"({text})")
