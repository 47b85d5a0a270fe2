"""What one scan could use to find few rows: an index that exists, or proposals of what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pytest_dbguard.planning.assessment import Obstacle, Purpose, Unusable, Wanted
from pytest_dbguard.planning.candidates.column_types import Family, family_of
from pytest_dbguard.planning.candidates.conditions import Condition, View, asks_for_index
from pytest_dbguard.planning.candidates.covering import Coverage, matched_by
from pytest_dbguard.planning.candidates.obstacles import is_told, search_of, unusable_of
from pytest_dbguard.planning.candidates.selectivity import MANY_ROWS, is_named_few, rows_for_each
from pytest_dbguard.planning.candidates.specs import MAX_KEYS, extended, filter_keys, plain_spec, sort_keys, spec_of
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.schema.catalog import Dialect, Index
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.facts.model import TermKind

_RANGES = (TermKind.RANGE, TermKind.PREFIX)
_RANGE_COST, _OBSTACLE_COST = 2.5, 1.2
"""A range may find much: an equality and an index for a join after it are a better way."""


@dataclass(frozen=True, slots=True)
class Option:
    """A way to find few rows: nothing to do where an index serves already, else proposals.

    Attributes:
        wanted: Indexes to make.
        unusable: Terms to write otherwise.
        cost: How dear it is to take this way rather than another; 0 for an index that exists.
    """

    wanted: tuple[Wanted, ...] = ()
    unusable: tuple[Unusable, ...] = ()
    cost: float = 0.0


SERVED = Option()


def by_constants(view: View, coverage: Coverage) -> Option | None:
    """Return how the scan's own conditions find few rows; None where they do not."""
    if view.is_small:
        return SERVED if view.is_selective else None
    if coverage.index_for(view, view.constants) is not None:
        return SERVED
    if any(all(coverage.index_for(view, branch) for branch in choice) for choice in view.choices):
        return SERVED
    plain = [each for each in view.constants if each.obstacle is None and asks_for_index(each)]
    told = [each for each in view.constants if is_told(each)]
    points = [each for each in plain if each.term.kind not in _RANGES]
    told.sort(key=lambda each: (each.term.kind in _RANGES, unusable_of(view, each).spec is None))
    if points or (plain and not (told and told[0].term.kind in (TermKind.EQUAL, TermKind.LIST))):
        return _by_columns(view, points or plain, plain, coverage)
    if told:
        return Option(unusable=(unusable_of(view, told[0]),), cost=_OBSTACLE_COST)
    if view.choices:
        return _by_choice(view, coverage)
    if view.searches:
        return Option(unusable=(search_of(view, view.searches),), cost=_OBSTACLE_COST)
    return None


def by_joins(view: View, joins: Sequence[Condition], coverage: Coverage) -> Option | None:
    """Return how the scan is read for single values of columns of others; None where no index could help."""
    if view.is_small or coverage.index_for(view, [*joins, *view.constants]) is not None:
        return SERVED
    plain = [each for each in joins if each.obstacle is None and not each.is_few]
    if plain:
        first = plain[0].term.other
        group = [each for each in plain if _alias(each) == (first[0] if first else "")]
        group = list({each.column.name: each for each in group}.values())[:MAX_KEYS]
        return _unless_unusable(view, group, coverage) or _join_option(view, group)
    told = next((each for each in joins if is_told(each)), None)
    return Option(unusable=(unusable_of(view, told),), cost=_OBSTACLE_COST) if told is not None else None


def by_order(view: View, coverage: Coverage) -> Option | None:
    """Return how the scan is read in order until a LIMIT is reached; None where no index can yield that order."""
    if view.is_small or coverage.sorts(view, view.scan.order):
        return SERVED
    single = [each for each in view.constants if _can_stand_before(view, each)]
    single = list({each.column.name: each for each in single}.values())[: MAX_KEYS - 1]
    return _sort_option(view, single)


def by_order_of_many(view: View, coverage: Coverage) -> Option | None:
    """Return a better way where an index finds so many rows that to sort them is dearer than to read them in order."""
    index = coverage.index_for(view, view.constants)
    if index is None or view.is_small or coverage.sorts(view, view.scan.order):
        return None
    matched = matched_by(view, index, view.constants)
    if any(not each.is_single or not _is_named_few(view, each) for each in matched):
        return None
    return _sort_option(view, list(matched)[: MAX_KEYS - 1])


def _alias(condition: Condition) -> str:
    return condition.term.other[0] if condition.term.other else ""


def _by_columns(view: View, chosen_from: Sequence[Condition], plain: Sequence[Condition], coverage: Coverage) -> Option:
    chosen, keys = filter_keys(view, [*chosen_from, *(each for each in plain if each not in chosen_from)])
    unusable = _unless_unusable(view, chosen[:1], coverage) if len(chosen) == 1 else None
    if view.scan.order and view.scan.has_limit and not view.scan.groups:
        keys, chosen = _with_order(view, keys, chosen)
    spec = spec_of(view.table, keys)
    if unusable is not None:
        # an index for all rows instead of a partial one is made as any other would be
        found = (replace(e, spec=spec if e.obstacle is Obstacle.PREDICATE else e.spec) for e in unusable.unusable)
        return replace(unusable, unusable=tuple(found))
    is_range = all(each.term.kind in _RANGES for each in chosen)
    wanted = replace(_wanted(view, spec, Purpose.FILTER, chosen), is_range_only=is_range)
    return Option((wanted,), cost=_RANGE_COST if is_range else 1.0)


def _wanted(view: View, spec: IndexSpec, purpose: Purpose, conditions: Iterable[Condition]) -> Wanted:
    """Return what a scan wants an index for."""
    return Wanted(
        spec=spec,
        purpose=purpose,
        alias=view.scan.alias,
        query=view.scan.query,
        terms=tuple(each.term for each in conditions),
        extends=extended(view.table, spec),
    )


def _with_order(
    view: View, keys: list[tuple[str | None, str]], chosen: list[Condition]
) -> tuple[list[tuple[str | None, str]], list[Condition]]:
    """Put the sort's columns behind those of equalities, as far as there is room; a range then has none."""
    single = [each for each in chosen if each.is_single]
    points = [each for each in chosen if each.term.kind not in _RANGES]
    if len(single) != len(points):
        return keys, chosen
    if not single and chosen and view.scan.order[0].column != chosen[0].column.name:
        return keys, chosen
    before = keys[: len(single)]
    order = sort_keys(view, [column for column, _ in before])
    if not order or len(before) + len(order) > MAX_KEYS:
        return keys, chosen
    names = {column for column, _ in order}
    return [*before, *order], [*single, *(each for each in chosen if not each.is_single and each.column.name in names)]


def _unless_unusable(view: View, conditions: Sequence[Condition], coverage: Coverage) -> Option | None:
    """Return what hinders the only condition's index that exists: its predicate, its class, a build that failed."""
    if len(conditions) != 1:
        return None
    found = _hindered(view, conditions[0], coverage)
    if found is None:
        return None
    obstacle, index = found
    return Option(unusable=(unusable_of(view, conditions[0], index=index, obstacle=obstacle),), cost=_OBSTACLE_COST)


def _hindered(view: View, condition: Condition, coverage: Coverage) -> tuple[Obstacle, Index] | None:
    own = [each for each in view.table.indexes if each.keys and each.keys[0].column == condition.column.name]
    for index in own:
        if not index.is_valid:
            return Obstacle.INVALID, index
        if index.method == "btree" and not coverage.holds(view, index):
            return Obstacle.PREDICATE, index
    ordered = [index for index in own if index.method == "btree"]
    if ordered and condition.term.kind is TermKind.PREFIX:
        is_postgres = view.dialect is Dialect.POSTGRESQL
        return (Obstacle.PATTERN_CLASS if is_postgres else Obstacle.COLLATION), ordered[0]
    if ordered and all(index.keys[0].collation for index in ordered):
        return Obstacle.COLLATION, ordered[0]
    return None


def _join_option(view: View, group: Sequence[Condition]) -> Option:
    spec = plain_spec(view.table, [each.column.name for each in group])
    return Option((_wanted(view, spec, Purpose.JOIN, group),), cost=1.0)


def _by_choice(view: View, coverage: Coverage) -> Option:
    """Return an index for each branch of an OR that has none; all of them or none make it fast."""
    found: dict[object, Wanted] = {}
    for group, choice in enumerate(view.choices[:1], start=1):
        for branch in choice:
            if coverage.index_for(view, branch) is not None:
                continue
            chosen, keys = filter_keys(view, branch)
            spec = spec_of(view.table, keys)
            is_range = all(each.term.kind in _RANGES for each in chosen)
            wanted = _wanted(view, spec, Purpose.FILTER, chosen)
            found[spec] = replace(wanted, is_range_only=is_range, alternative=True, group=group)
    return Option(tuple(found.values()), cost=float(len(found)))


def _sort_option(view: View, single: Sequence[Condition]) -> Option | None:
    order = sort_keys(view, [each.column.name for each in single])
    if not order or len(order) > MAX_KEYS:
        return None
    single = single[: MAX_KEYS - len(order)]
    keys = [*((each.column.name, plain_spec(view.table, [each.column.name]).keys[0]) for each in single), *order]
    spec = replace(spec_of(view.table, keys), predicate=_nulls_of(view))
    wanted = replace(_wanted(view, spec, Purpose.SORT, single), is_range_only=True)
    return Option((wanted,), cost=_RANGE_COST)


def _nulls_of(view: View) -> str:
    """Return the condition that makes an index hold only rows whose columns are NULL as the scan asks.

    Walking in order past all others, the processed ones of a queue, would read most of the table.
    """
    nulls = [each for each in view.constants if each.term.kind is TermKind.NULL and each.obstacle is None]
    names = dict.fromkeys(quoted(each.column.name) for each in nulls if not each.expression)
    return " AND ".join(f"{name} IS NULL" for name in names)


def _can_stand_before(view: View, condition: Condition) -> bool:
    """Whether a sort's index begins with the column: one value of several, not one of two that most rows have."""
    is_flag = family_of(condition.column, view.dialect) is Family.BOOLEAN
    return condition.is_single and condition.obstacle is None and not is_flag


def _is_named_few(view: View, condition: Condition) -> bool:
    """Whether a column holds few values by its name, or each value has very many rows by production's count."""
    counted = rows_for_each(condition.column, view.statistics)
    return counted > MANY_ROWS if counted else is_named_few(condition.column)
