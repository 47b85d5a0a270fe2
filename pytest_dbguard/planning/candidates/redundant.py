"""Indexes that others make superfluous: equal ones, and those that are the beginning of another."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from pytest_dbguard.planning.candidates.expressions import canonical
from pytest_dbguard.schema.catalog import Catalog, Dialect, Index, IndexKey, RelationKind, Table

_STORED = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATERIALIZED)


@dataclass(frozen=True, slots=True)
class Redundant:
    """An index that can go: `by` serves all that it serves; `reason` is "equal" or "prefix"."""

    table: Table
    index: Index
    by: Index
    reason: str


def redundant(catalog: Catalog) -> tuple[Redundant, ...]:
    """Return the indexes that can be dropped without loss, by table and name; never both of an equal pair."""
    tables = (each for each in catalog.tables if each.kind in _STORED and each.partition_of is None)
    referred = {
        (key.referred_schema, key.referred_table, frozenset(key.referred_columns))
        for table in catalog.tables
        for key in table.foreign_keys
    }
    return tuple(found for table in tables for found in _of_table(table, catalog.dialect, referred))


def _of_table(
    table: Table, dialect: Dialect, referred: Container[tuple[str, str, frozenset[str]]]
) -> Iterator[Redundant]:
    for index in sorted(table.indexes, key=lambda each: each.name):
        if index.is_constraint or index.is_primary or not index.is_valid or not index.keys:
            continue
        columns = frozenset(column for column in index.columns if column is not None)
        if index.is_unique and (table.schema, table.name, columns) in referred:
            # which of two unique indexes a foreign key depends on is not known; that one cannot be dropped
            continue
        by = [other for other in table.indexes if other is not index and _replaces(other, index, dialect)]
        if by:
            best = min(by, key=lambda other: (len(other.keys), not other.is_constraint, other.name))
            yield Redundant(table, index, best, "equal" if len(best.keys) == len(index.keys) else "prefix")


def _replaces(other: Index, index: Index, dialect: Dialect) -> bool:
    """Whether one index does all that another does, and is the one of an equal pair that stays."""
    if not other.is_valid or (other.method, other.predicate) != (index.method, index.predicate):
        return False
    size = len(index.keys)
    if not _begins_with(other, index, dialect):
        return False
    if index.is_unique and not (other.is_unique and len(other.keys) == size and _is_as_strict(other, index)):
        return False
    carried = {*other.columns[size:], *other.include}
    if not set(index.include) <= carried:
        return False
    if len(other.keys) > size:
        return index.method == "btree"
    return _rank(other) < _rank(index)


def _is_as_strict(other: Index, index: Index) -> bool:
    return other.nulls_distinct == index.nulls_distinct or other.is_primary


def _begins_with(other: Index, index: Index, dialect: Dialect) -> bool:
    if len(other.keys) < len(index.keys):
        return False
    ours = [_plain(key, dialect) for key in index.keys]
    theirs = [_plain(key, dialect) for key in other.keys[: len(ours)]]
    if len(ours) == 1:
        # one key is read in both directions
        ours, theirs = [_undirected(key) for key in ours], [_undirected(key) for key in theirs]
    return ours == theirs


def _plain(key: IndexKey, dialect: Dialect) -> IndexKey:
    return key if key.column is not None else replace(key, expression=canonical(key.expression, dialect))


def _undirected(key: IndexKey) -> IndexKey:
    return replace(key, descending=False, nulls_first=key.descending != key.nulls_first)


def _rank(index: Index) -> tuple[bool, bool, bool, int, int, str]:
    """Return what decides which of two equal indexes stays: the smaller one."""
    is_free = not (index.is_primary or index.is_constraint)
    return (is_free, not index.is_unique, not index.include, -len(index.include), len(index.name), index.name)
