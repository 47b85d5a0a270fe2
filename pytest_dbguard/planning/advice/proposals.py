"""Which indexes advice chooses from: for each scan keys by its conditions and its order, alone and covering."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from pytest_dbguard.planning.advice.items import Item
from pytest_dbguard.planning.candidates.column_types import Family, family_of
from pytest_dbguard.planning.candidates.conditions import Condition, View
from pytest_dbguard.planning.candidates.specs import key_of, sort_keys
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.statistics.model import TableStatistics
from pytest_dbguard.schema.catalog import Dialect, Index, Table
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.facts.model import TermKind

MAX_KEYS = 4
"""Columns by which an index sorts."""

MAX_CARRIED = 6
"""Columns that an index carries along so that the table need not be read."""

MOST_OF_ROW = 0.6
"""Share of a row's bytes above which an index that covers a statement is a second copy of the table."""

LEAST_ROWS = 100
"""Rows below which no index is looked for: the table is a page or two."""

Key = tuple[str | None, str]
"""A column, and how the key is written."""

_RANGES = (TermKind.RANGE, TermKind.PREFIX)
_POINTS = (TermKind.EQUAL, TermKind.LIST, TermKind.NULL)


def proposals(item: Item) -> tuple[IndexSpec, ...]:
    """Return the indexes that an item could use, without repeats and without those that exist, in a stable order."""
    found: dict[IndexSpec, None] = {}
    tables = {(view.table.schema, view.table.name): view.table for view in item.views}
    for spec in item.proposed:
        table = tables.get((spec.schema, spec.table))
        plain = replace(spec, name="")
        if table is not None and not exists(plain, table):
            found[plain] = None
    for view in item.views:
        for spec in of_scan(view):
            found[spec] = None
    return tuple(found)


def of_scan(view: View) -> Iterator[IndexSpec]:
    """Yield the indexes that one scan could use."""
    if view.statistics is not None and view.statistics.rows < LEAST_ROWS:
        return
    for keys in dict.fromkeys(_key_lists(view)):
        if keys[0][0] is not None and _is_rowid(view.table, keys[0][0]):
            # SQLite's table is in that order already: such an index is the table once more
            continue
        spec = _spec(view.table, keys)
        if not exists(spec, view.table):
            yield spec
        yield from _covering(view, keys)


def exists(spec: IndexSpec, table: Table) -> bool:
    """Whether an index is there that has the same keys and carries the same columns."""
    return any(
        len(index.keys) == len(spec.keys) and set(spec.include) <= set(index.include)
        for index in beginning_with(spec, table)
    ) or (table.primary_key == spec.columns and not spec.include)


def beginning_with(spec: IndexSpec, table: Table) -> Iterator[Index]:
    """Yield the existing indexes that begin with the keys of a candidate, all of them plain columns."""
    if None in spec.columns or spec.predicate:
        return
    for index in table.indexes:
        keys = [quoted(key.column) for key in index.keys if key.column is not None and not key.operator_class]
        is_alike = index.method == spec.method and index.is_valid and not index.predicate and index.name
        if is_alike and len(keys) == len(index.keys) and tuple(keys[: len(spec.keys)]) == spec.keys:
            yield index


def _spec(table: Table, keys: Sequence[Key], include: Sequence[str] = ()) -> IndexSpec:
    texts, columns = tuple(text for _, text in keys), tuple(column for column, _ in keys)
    return IndexSpec(table.schema, table.name, texts, columns, include=tuple(include))


def _key_lists(view: View) -> Iterator[tuple[Key, ...]]:
    """Yield lists of keys: single ones, values before joins before a range or an order, and the other way round."""
    points, ranges, joins = _by_role(view)
    orders = [order for order in (_order(view), _groups(view)) if order]
    singles = [*points, *ranges, *joins]
    yield from ((key,) for key in singles)
    for branch in (branch for choice in view.choices for branch in choice):
        usable = [key_of(view, each) for each in branch if each.obstacle is None]
        yield from ((key,) for key in usable)
        yield from _joined(usable[:2])
    leads = [(), *((key,) for key in points), *permutations(points[:3], 2), tuple(points[:3])]
    for lead in leads:
        for order in orders:
            yield from _joined(lead, order)
        for key in ranges:
            yield from _joined(lead, (key,))
        for key in joins:
            yield from _joined(lead, (key,))
            yield from _joined((key,), lead)
        if lead:
            yield lead
    for one, other in permutations([*joins, *ranges], 2):
        yield from _joined((one,), (other,))
    for key in joins:
        for order in orders:
            yield from _joined((key,), order)
    for order in orders:
        yield from _joined(order, [*joins, *points][:1])


def _joined(*parts: Sequence[Key]) -> Iterator[tuple[Key, ...]]:
    """Yield keys one after the other, each column once."""
    keys: dict[str | None, Key] = {}
    for key in (key for part in parts for key in part):
        keys.setdefault(key[0], key)
    if 0 < len(keys) <= MAX_KEYS:
        yield tuple(keys.values())


def _by_role(view: View) -> tuple[list[Key], list[Key], list[Key]]:
    """Return the keys for values, those that tell most apart first, for ranges, and for joins."""

    def keys(conditions: Iterable[Condition]) -> list[Key]:
        usable = [each for each in conditions if each.obstacle is None]
        usable.sort(key=lambda each: (-_distinct(view, each), each.column.name))
        return list({each.column.name: key_of(view, each) for each in usable}.values())

    points = keys(each for each in view.constants if each.term.kind in _POINTS)
    ranges = keys(each for each in view.constants if each.term.kind in _RANGES)
    return points, ranges, keys(view.joins)


def _distinct(view: View, condition: Condition) -> float:
    known = view.statistics.column(condition.column.name) if view.statistics is not None else None
    return known.distinct(view.statistics.rows) if known is not None and view.statistics is not None else 0.0


def _order(view: View) -> tuple[Key, ...]:
    return tuple(sort_keys(view, ()) or ()) if view.scan.order else ()


def _groups(view: View) -> tuple[Key, ...]:
    columns = [view.table.column(name) for name in view.scan.groups]
    return tuple((each.name, quoted(each.name)) for each in columns if each is not None)[:MAX_KEYS]


def _covering(view: View, keys: tuple[Key, ...]) -> Iterator[IndexSpec]:
    """Yield the index with all other columns that the scan needs; where these are few and narrow beside the row."""
    if view.scan.is_whole or view.statistics is None:
        return
    taken = {column for column, _ in keys}
    rest = [name for name in sorted(view.scan.columns) if name not in taken and not _is_rowid(view.table, name)]
    columns = [view.table.column(name) for name in rest]
    if not rest or len(rest) > MAX_CARRIED or None in columns or not _is_narrow(view, [*taken, *rest]):
        return
    if view.dialect is Dialect.SQLITE:
        yield _spec(view.table, [*keys, *((name, quoted(name)) for name in rest)])
        return
    asked = {each.column.name for each in (*view.constants, *view.joins) if each.obstacle is None}
    more = [(each.name, quoted(each.name)) for each in columns if each is not None and _is_key(view, each.name, asked)]
    more = more[: MAX_KEYS - len(keys)]
    named = {column for column, _ in more}
    yield _spec(view.table, [*keys, *more], [name for name in rest if name not in named])


def _is_rowid(table: Table, name: str) -> bool:
    """Whether a column is SQLite's number of the row, which all indexes hold."""
    return table.primary_key == (name,) and any(index.is_primary and not index.name for index in table.indexes)


def _is_key(view: View, name: str, asked: set[str]) -> bool:
    """Whether a column that is carried along may as well be sorted by: conditions ask for it."""
    column = view.table.column(name)
    return name in asked and column is not None and family_of(column, view.dialect) is not Family.UNORDERED


def _is_narrow(view: View, names: Iterable[str | None]) -> bool:
    statistics = view.statistics
    assert statistics is not None
    total = sum(_width(statistics, column.name) for column in view.table.columns) + 28
    return sum(_width(statistics, name) for name in names if name) + 12 <= MOST_OF_ROW * total


def _width(statistics: TableStatistics, name: str) -> float:
    known = statistics.column(name)
    return float(known.average_width or 8) if known is not None else 8.0
