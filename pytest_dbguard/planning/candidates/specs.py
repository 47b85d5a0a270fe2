"""Builds proposed indexes from the conditions that they are to serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_dbguard.planning.candidates.column_types import Family, family_of
from pytest_dbguard.planning.candidates.conditions import Condition, View
from pytest_dbguard.planning.candidates.selectivity import MANY_ROWS, rows_alike, rows_for_each
from pytest_dbguard.planning.candidates.spelling import name_of
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.schema.catalog import Column, Dialect, Index, Table
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.facts.model import SortKey, TermKind

MAX_KEYS = 3
"""Columns of a proposed index: more find hardly fewer rows, and every write pays for them."""

_RANGES = (TermKind.RANGE, TermKind.PREFIX)


def spec_of(table: Table, keys: Sequence[tuple[str | None, str]]) -> IndexSpec:
    """Return an index of (column, key as it is written) pairs."""
    return IndexSpec(table.schema, table.name, tuple(key for _, key in keys), tuple(column for column, _ in keys))


def named(table: Table, spec: IndexSpec) -> IndexSpec:
    """Return a proposed index with a name that none of its table has: the usual one may be a partial index's."""
    taken = {index.name for index in table.indexes}
    usual = name_of(spec)
    free = (name for name in (f"{usual[:60]}_{number}" for number in range(2, 100)) if name not in taken)
    return replace(spec, name=next(free, "")) if usual in taken else spec


def plain_spec(table: Table, columns: Sequence[str]) -> IndexSpec:
    """Return an index of plain columns."""
    return spec_of(table, [(column, quoted(column)) for column in columns])


def key_of(view: View, condition: Condition) -> tuple[str | None, str]:
    """Return the key that serves a condition on a plain column."""
    name = condition.column.name
    if condition.term.kind is TermKind.PREFIX and condition.term.operator != "GLOB":
        return name, f"{quoted(name)}{prefix_suffix(view, condition.column)}"
    return name, quoted(name)


def prefix_suffix(view: View, column: Column) -> str:
    """Return what a key needs behind its column to serve LIKE 'abc%'; "" where a plain one does.

    In a database that sorts by code points a plain one would do, too; but tests often have such a one where production
    has not, and the class serves in both.
    """
    if view.dialect is Dialect.SQLITE:
        return "" if column.collation.upper() == "NOCASE" else " COLLATE NOCASE"
    if column.collation.strip('"').upper() in ("C", "POSIX"):
        return ""
    is_char = family_of(column, view.dialect) is Family.CHAR
    return " bpchar_pattern_ops" if is_char else f" {pattern_class(column)}"


def pattern_class(column: Column) -> str:
    """Return PostgreSQL's operator class that sorts a text by code points."""
    return (
        "varchar_pattern_ops"
        if column.type.lower().startswith(("character varying", "varchar"))
        else "text_pattern_ops"
    )


def filter_keys(view: View, conditions: Sequence[Condition]) -> tuple[list[Condition], list[tuple[str | None, str]]]:
    """Return the conditions that an index serves best, equality first, and its keys; the order is not in it yet."""
    points = [each for each in conditions if each.term.kind not in _RANGES]
    points.sort(key=lambda each: (not each.is_single, rows_for_each(each.column, view.statistics)))
    chosen = _once(points)[:MAX_KEYS]
    ranges = [each for each in conditions if each.term.kind in _RANGES]
    ranges.sort(key=lambda each: each.term.kind is not TermKind.PREFIX)
    names = {each.column.name for each in chosen}
    rest = [each for each in ranges if each.column.name not in names]
    if rest and len(chosen) < MAX_KEYS:
        chosen.append(rest[0])
    return chosen, [key_of(view, each) for each in chosen]


def _once(conditions: Sequence[Condition]) -> list[Condition]:
    """Leave of several conditions on one column the first."""
    return list({each.column.name: each for each in reversed(conditions)}.values())[::-1]


def sort_keys(view: View, taken: Sequence[str | None]) -> list[tuple[str | None, str]] | None:
    """Return the keys that yield the scan's order behind others; None where no index can.

    A primary key at the end only tells apart what is equal: it is left out, unless that is much, as in a queue by
    priority.
    """
    order = [each for each in view.scan.order if each.column not in taken]
    if not order or any(each.column is None or view.table.column(each.column) is None for each in order):
        return None
    last, is_descending = order[-1], order[0].descending
    if len(order) > 1 and view.table.primary_key == (last.column,):
        if _has_rowid(view.table):
            # it stands behind the keys of each index anyway, ascending
            is_descending = last.descending
            order.pop()
        elif len(order) + len(taken) > MAX_KEYS or not _is_much_alike(view, order[:-1]):
            order.pop()
    if any(not _is_possible(view, each) for each in order):
        return None
    is_uniform = all(each.descending == is_descending and _is_default(view, each) for each in order)
    turned = [replace(each, descending=not each.descending) for each in order] if _is_turned(view, last) else order
    return [(key.column, quoted(key.column or "") + ("" if is_uniform else _direction(view, key))) for key in turned]


def _has_rowid(table: Table) -> bool:
    """Whether the primary key is SQLite's rowid."""
    return any(index.is_primary and not index.name for index in table.indexes)


def _is_turned(view: View, last: SortKey) -> bool:
    """Whether an index by rowid at its end is read backwards, so that its other keys run the other way."""
    return _has_rowid(view.table) and view.table.primary_key == (last.column,) and last.descending


def _is_much_alike(view: View, order: Sequence[SortKey]) -> bool:
    """Whether so many rows have the same values in these columns that to sort them is worth avoiding."""
    columns = [column for each in order if (column := view.table.column(each.column or "")) is not None]
    return rows_alike(columns, view.statistics) > MANY_ROWS


def _is_default(view: View, key: SortKey) -> bool:
    """Whether NULLs come where a plain index, read forwards or backwards, has them."""
    if key.nulls_first is None:
        return True
    is_postgres = view.dialect is Dialect.POSTGRESQL
    return key.nulls_first == (key.descending if is_postgres else not key.descending)


def _is_possible(view: View, key: SortKey) -> bool:
    """SQLite has no indexes with NULLs elsewhere than its own order puts them."""
    return view.dialect is Dialect.POSTGRESQL or _is_default(view, key)


def _direction(view: View, key: SortKey) -> str:
    text = " DESC" if key.descending else ""
    if not _is_default(view, key):
        text += " NULLS FIRST" if key.nulls_first else " NULLS LAST"
    return text


def extended(table: Table, spec: IndexSpec) -> str:
    """Return the name of an index that the proposed one makes superfluous, since it begins with all its keys."""
    for index in table.indexes:
        if _begins(index, spec):
            return index.name
    return ""


def _begins(index: Index, spec: IndexSpec) -> bool:
    keys = tuple(quoted(key.column) for key in index.keys if key.column is not None and not key.operator_class)
    is_free = not (index.is_unique or index.is_constraint or index.predicate or index.include)
    is_alike = index.method == spec.method and index.is_valid and not any(key.collation for key in index.keys)
    return is_free and is_alike and len(keys) == len(index.keys) < len(spec.keys) and spec.keys[: len(keys)] == keys
