"""The statements that make an empty copy of a PostgreSQL schema on another server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pytest_dbguard.schema.catalog import Catalog, Index, RelationKind, Table
from pytest_dbguard.schema.postgres_ddl import (
    Spelling,
    foreign_key_statement,
    index_statement,
    later_checks,
    parent_statements,
    table_statement,
    view_statement,
)
from pytest_dbguard.schema.quoting import qualified, quoted
from pytest_dbguard.schema.script import IndexStatement, Target, Transcript

_SETTINGS: Final = (
    # Texts of catalogs are written for this path.
    "SET search_path = public",
    "SET check_function_bodies = off",
    "SET client_min_messages = warning",
)
_EXTENSION: Final = re.compile(r'CREATE EXTENSION IF NOT EXISTS ("(?:[^"]|"")+"|\S+) ')
_COLLATION: Final = re.compile(r"CREATE COLLATION (.+) \(provider = (\w+), ")
# For a planner what matters is that it is not C.
_ANY_COLLATION: Final = "CREATE COLLATION {} (provider = libc, locale = 'C.UTF-8')"
_BUILTIN: Final = 17
_VIRTUAL: Final = 18
_STORED: Final = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.PARTITION)


def postgres_transcript(catalog: Catalog, target: Target) -> Transcript:
    """Return the statements for a server; see `transcript`."""
    return _Writer(catalog, target).transcript()


class _Writer:
    """Writes one transcript, and notes what it had to leave out."""

    def __init__(self, catalog: Catalog, target: Target) -> None:
        self.catalog = catalog
        self.target = target
        self.problems: list[str] = []
        self.tables = {(table.schema, table.name): table for table in catalog.tables}
        self.left_out = {label for label, table in self.tables.items() if table.kind is RelationKind.FOREIGN}
        made = (_COLLATION.match(sql) for sql in catalog.prelude)
        self.own_collations = {match[1] for match in made if match}
        self.spelling = Spelling(target.major, self._collation, self._is_missing)

    def transcript(self) -> Transcript:
        stored = [table for table in self.catalog.tables if table.kind in _STORED]
        self.problems += [f"foreign table {self.tables[label].label} is left out" for label in sorted(self.left_out)]
        views = list(self._views())
        made = sorted(stored, key=lambda table: -self._depth(table))
        return Transcript(
            prelude=(*_SETTINGS, *self._prelude()),
            tables=tuple(self._tables(stored)),
            indexes=tuple(self._indexes(made)),
            views=tuple(view_statement(view, self.spelling) for view in views),
            view_indexes=tuple(self._indexes(views)),
            constraints=tuple(self._foreign_keys(stored)),
            problems=tuple(self.problems),
        )

    def _is_missing(self, extension: str) -> bool:
        return bool(extension) and self.target.extensions is not None and extension not in self.target.extensions

    def _collation(self, name: str) -> str:
        return name if name in self.own_collations else quoted(name)

    def _prelude(self) -> Iterator[str]:
        for sql in self.catalog.prelude:
            if match := _EXTENSION.match(sql):
                name = match[1].strip('"')
                if self._is_missing(name):
                    self.problems.append(f"extension {name} is not there: columns of its types become text")
                    continue
            elif (match := _COLLATION.match(sql)) and not self._has_provider(match[2]):
                self.problems.append(f"collation {match[1]} is made of another one that is not C")
                yield _ANY_COLLATION.format(match[1])
                continue
            yield sql
        for name in self._missing_collations():
            self.problems.append(f"collation {name} is not there: another one that is not C stands for it")
            yield _ANY_COLLATION.format(f"public.{quoted(name)}")

    def _has_provider(self, provider: str) -> bool:
        if provider == "icu":
            return self.target.has_icu
        return provider != "builtin" or self.target.major >= _BUILTIN

    def _missing_collations(self) -> list[str]:
        used = {column.collation for table in self.catalog.tables for column in table.columns}
        for table in self.catalog.tables:
            used |= {key.collation for index in table.indexes for key in index.keys}
        known = self.target.collations
        return sorted(name for name in used - self.own_collations - {""} if known is not None and name not in known)

    def _tables(self, stored: Iterable[Table]) -> Iterator[str]:
        tables = tuple(_after_their_rows(stored))
        for table in tables:
            yield table_statement(table, self.spelling)
            self.problems += [
                f"column {table.label}.{column.name} is stored, not virtual"
                for column in table.columns
                if column.is_virtual and self.target.major < _VIRTUAL
            ]
        for table in tables:
            yield from later_checks(table)
        for table in sorted(tables, key=lambda table: -self._depth(table)):
            yield from parent_statements(table)
        yield from (statistics.ddl for table in tables for statistics in table.statistics if statistics.ddl)
        yield from self.catalog.afterwards

    def _depth(self, table: Table) -> int:
        parent = self.tables.get(table.partition_of) if table.partition_of else None
        return 0 if parent is None else 1 + self._depth(parent)

    def _indexes(self, tables: Iterable[Table]) -> Iterator[IndexStatement]:
        for table in tables:
            for index in table.indexes:
                if not index.is_valid:
                    continue
                if self._is_missing(index.extension) and not _needs_no_class(index):
                    self.problems.append(f"index {index.name} is left out: it needs extension {index.extension}")
                    continue
                yield IndexStatement(table.schema, index.name, index_statement(table, index, self.spelling))

    def _views(self) -> Iterator[Table]:
        """Yield the views, each after those that it reads; what reads a table that is left out is left out."""
        waiting = [table for table in self.catalog.tables if table.view]
        while waiting:
            names = {(view.schema, view.name) for view in waiting}
            ready = [view for view in waiting if not names & set(view.reads)] or waiting
            for view in ready:
                if self.left_out & set(view.reads):
                    self.left_out.add((view.schema, view.name))
                    self.problems.append(f"view {view.label} is left out: it reads what is left out")
                else:
                    yield view
            done = {(view.schema, view.name) for view in ready}
            waiting = [view for view in waiting if (view.schema, view.name) not in done]

    def _foreign_keys(self, tables: Iterable[Table]) -> Iterator[str]:
        for table in tables:
            for key in table.foreign_keys:
                if (key.referred_schema, key.referred_table) not in self.left_out and not self._comes_from_parent(
                    table, (key.columns, key.referred_schema, key.referred_table, key.referred_columns)
                ):
                    yield foreign_key_statement(table, key)

    def _comes_from_parent(self, table: Table, key: tuple[object, ...]) -> bool:
        """Return whether a partition gets a foreign key with its parent's."""
        parent = self.tables.get(table.partition_of) if table.partition_of else None
        return parent is not None and any(
            (other.columns, other.referred_schema, other.referred_table, other.referred_columns) == key
            for other in parent.foreign_keys
        )


def _after_their_rows(tables: Iterable[Table]) -> Iterator[Table]:
    """Yield tables, each after those whose rows it has columns of."""
    waiting = {_row_type(table): table for table in tables}
    while waiting:
        ready = {
            name: table
            for name, table in waiting.items()
            if not any(column.type.rstrip("[]") in waiting and column.type != name for column in table.columns)
        } or dict(waiting)
        yield from ready.values()
        waiting = {name: table for name, table in waiting.items() if name not in ready}


def _row_type(table: Table) -> str:
    """Return the name of the type of a table's rows, as types of columns are written."""
    return qualified("" if table.schema == "public" else table.schema, table.name)


def _needs_no_class(index: Index) -> bool:
    """Whether an index can also be made on text, where its columns' type is not there."""
    return index.method in ("btree", "hash") and all(
        key.column is not None and not key.operator_class for key in index.keys
    )
