"""Puts statistics into the catalogs of a PostgreSQL lab: `pg_class`, `pg_statistic` and extended statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final, TypeVar

from pytest_dbguard.planning.lab.column_entries import ColumnEntry, column_entries
from pytest_dbguard.planning.lab.extended_statistics import write_extended
from pytest_dbguard.planning.lab.relation_sizes import RelationSize, relation_sizes
from pytest_dbguard.planning.lab.restored_statistics import restore_column, restore_size
from pytest_dbguard.planning.lab.statistic_rows import remove_columns, write_columns, write_sizes
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog

Execute = Callable[[str], Sequence[Sequence[Any]]]
"""Runs one SQL statement without parameters and returns its rows, () where there are none."""

RESTORES_FROM: Final = 18
"""The first version that has functions to write statistics."""

_AT_ONCE: Final = 200
_THERE: Final = """
    SELECT n.nspname::text, c.relname::text, a.attname::text, a.attnum::int, c.relkind IN ('i', 'I')
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
"""
_Item = TypeVar("_Item")


def inject(
    execute: Execute, catalog: Catalog, statistics: Statistics, *, major: int, is_superuser: bool
) -> tuple[str, ...]:
    """Write what the statistics say of every table, column and index; return what could not be written, a line each.

    Needs a superuser below PostgreSQL 18, the owner of the tables from 18 on. Indexes must be there already: making
    one afterwards writes its table's `reltuples` anew (`inject_sizes` puts that right). Statistics without values are
    written as they are: the planner then takes each value for as common as the others.
    """
    if major < RESTORES_FROM and not is_superuser:
        return (f"statistics cannot be written: PostgreSQL {major} lets only superusers do so",)
    there = _Relations(execute(_THERE))
    entries = [entry for entry in column_entries(catalog, statistics) if there.has(entry)]
    problems = list(there.missing(column_entries(catalog, statistics)))
    if major >= RESTORES_FROM:
        problems += _restore(execute, ((restore_column(entry), _label(entry)) for entry in entries))
    elif entries:
        execute(remove_columns(entries))
        problems += _insert(execute, entries)
    if is_superuser:
        problems += write_extended(execute, catalog, statistics, major=major)
    return (*problems, *inject_sizes(execute, catalog, statistics, major=major, is_superuser=is_superuser))


def inject_sizes(
    execute: Execute,
    catalog: Catalog,
    statistics: Statistics,
    *,
    major: int,
    is_superuser: bool,
    tables: Sequence[tuple[str, str]] | None = None,
) -> tuple[str, ...]:
    """Write only pages and rows, of all tables and their indexes or of those that are named (schema, name)."""
    if major < RESTORES_FROM and not is_superuser:
        return (f"sizes cannot be written: PostgreSQL {major} lets only superusers do so",)
    if tables is not None:
        wanted = set(tables)
        catalog = replace(catalog, tables=tuple(t for t in catalog.tables if (t.schema, t.name) in wanted))
    sizes = relation_sizes(catalog, statistics, major=major)
    if is_superuser and sizes:
        execute(write_sizes(sizes))
        return ()
    names = {(schema, relation) for schema, relation, *_ in execute(_THERE)}
    calls = [(restore_size(size), _size_label(size)) for size in sizes if (size.schema, size.name) in names]
    return tuple(_restore(execute, calls))


class _Relations:
    """The columns that the lab has."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self._columns: set[tuple[str, str, str]] = set()
        self._keys: set[tuple[str, str, int]] = set()
        for schema, relation, column, number, is_index in rows:
            if is_index:
                self._keys.add((schema, relation, number))
            else:
                self._columns.add((schema, relation, column))

    def has(self, entry: ColumnEntry) -> bool:
        if entry.column:
            return (entry.schema, entry.relation, entry.column) in self._columns
        return (entry.schema, entry.relation, entry.number) in self._keys

    def missing(self, entries: Iterable[ColumnEntry]) -> Iterator[str]:
        """Yield a line for each relation that is not there as the statistics know it."""
        lines = (f"no statistics of {_label(entry)}: it is not in the lab" for entry in entries if not self.has(entry))
        return iter(dict.fromkeys(lines))


def _restore(execute: Execute, calls: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Make calls, many in a statement; yield a line for each that the server did not take."""
    for batch in _batches(calls):
        (answers,) = execute("SELECT " + ",\n".join(call for call, _ in batch))
        for taken, (_, label) in zip(answers, batch, strict=True):
            if not taken:
                yield f"not all statistics of {label} could be written"


def _insert(execute: Execute, entries: Sequence[ColumnEntry]) -> Iterator[str]:
    """Write columns at once, or one by one where values of one do not fit its type; then without these.

    What the server says of it is not told: it would show the values.
    """
    import psycopg

    try:
        execute(write_columns(entries))
    except (psycopg.DataError, psycopg.IntegrityError):
        if len(entries) > 1:
            for entry in entries:
                yield from _insert(execute, [entry])
        else:
            (entry,) = entries
            yield f"not all statistics of {_label(entry)} could be written"
            execute(write_columns([replace(entry, statistics=replace(entry.statistics, slots=()))]))


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    remaining = iter(items)
    while batch := list(islice(remaining, _AT_ONCE)):
        yield batch


def _label(entry: ColumnEntry) -> str:
    return f"`{entry.schema}.{entry.relation}.{entry.column or entry.number}`"


def _size_label(size: RelationSize) -> str:
    return f"`{size.schema}.{size.name}`"
