"""Follows how a statement can be read with few rows at each step, and collects what is missing on the cheapest way.

A query begins with the scan whose conditions find few rows, and goes on to the others by the columns that join them. So
a join needs an index on one side only, the side that is gone to; and where a way of existing indexes leads to a scan,
its other conditions only narrow what is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pytest_dbguard.planning.assessment import Obstacle, Unusable, Wanted
from pytest_dbguard.planning.candidates.column_types import compares_by_index, family_of
from pytest_dbguard.planning.candidates.conditions import Condition, View, views_of
from pytest_dbguard.planning.candidates.covering import Coverage
from pytest_dbguard.planning.candidates.options import (
    SERVED,
    Option,
    by_constants,
    by_joins,
    by_order,
    by_order_of_many,
)
from pytest_dbguard.planning.candidates.specs import named
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog, Dialect, Table
from pytest_dbguard.sql.facts.model import StatementFacts

_SEMI = frozenset({"semi", "anti"})
_Way = tuple[frozenset[str], tuple[Option, ...]]


@dataclass(frozen=True, slots=True)
class Proposals:
    """What a statement lacks."""

    wanted: tuple[Wanted, ...] = ()
    unusable: tuple[Unusable, ...] = ()


def proposals(facts: StatementFacts, catalog: Catalog, statistics: Statistics | None, sql: str = "") -> Proposals:
    """Return what a statement lacks on its cheapest way, in the order of its scans."""
    if not facts.is_analysed:
        return Proposals()
    views = views_of(facts, catalog, statistics, sql)
    found = list(_Statement(facts, views, Coverage(sql)).options())
    place = {view.key: number for number, view in enumerate(views)}
    wanted = sorted((w for option in found for w in option.wanted), key=lambda w: place[w.query, w.alias])
    unusable = sorted((u for option in found for u in option.unusable), key=lambda u: place[u.query, u.alias])
    tables = {view.key: view.table for view in views}
    return Proposals(
        tuple(dict.fromkeys(replace(w, spec=named(tables[w.query, w.alias], w.spec)) for w in wanted)),
        tuple(dict.fromkeys(_named(u, tables[u.query, u.alias]) for u in unusable)),
    )


def _named(unusable: Unusable, table: Table) -> Unusable:
    return unusable if unusable.spec is None else replace(unusable, spec=named(table, unusable.spec))


@dataclass(slots=True)
class _Statement:
    """One statement; its queries are looked at one by one, outermost first."""

    facts: StatementFacts
    views: Sequence[View]
    coverage: Coverage
    own: dict[tuple[int, str], Option | None] = field(default_factory=dict)

    def options(self) -> Iterator[Option]:
        for view in self.views:
            self.own[view.key] = by_constants(view, self.coverage)
        for query in sorted({view.scan.query for view in self.views}):
            yield from self._of_query([view for view in self.views if view.scan.query == query])

    def _of_query(self, views: Sequence[View]) -> Iterator[Option]:
        served = [v for v in views if self.own[v.key] is SERVED and not v.scan.is_outer]
        start: frozenset[str] = frozenset(view.scan.alias for view in served)
        reached, found = self._closed(views, start, ())
        if not reached:
            reached, found = self._cheapest(self._starts(views), views)
        yield from found
        yield from (option for view in served if (option := self._in_order(view, views)) is not None)
        for view in views:
            option = self.own[view.key]
            if view.scan.alias not in reached and option is not None and not view.scan.is_outer:
                yield option

    def _starts(self, views: Sequence[View]) -> Iterator[_Way]:
        """Yield the ways to begin: by conditions, by an outer query, in order up to a LIMIT, by all rows in SQLite."""
        ways: list[_Way] = [
            (frozenset({view.scan.alias}), (option,))
            for view in views
            if (option := self._step(view, frozenset())) is not None
        ]
        for view in views:
            own = self.own[view.key]
            if own is not None and not view.scan.is_outer:
                ways.append((frozenset({view.scan.alias}), (own,)))
        if not ways:
            ways = list(self._ordered(views))
        if not ways and len(views) > 1 and views[0].dialect is Dialect.SQLITE:
            # SQLite joins by nested loops only: it goes to each table but the first by an index, or makes one
            ways = [(frozenset({view.scan.alias}), ()) for view in views if not view.scan.is_outer]
        yield from ways

    def _ordered(self, views: Sequence[View]) -> Iterator[_Way]:
        for view in views:
            scan = view.scan
            if scan.order and scan.has_limit and not scan.groups and not scan.is_outer and not _is_narrowed(view):
                option = by_order(view, self.coverage)
                if option is not None:
                    yield frozenset({scan.alias}), (option,)

    def _in_order(self, view: View, views: Sequence[View]) -> Option | None:
        """Return a way in order for a scan that an index serves by a condition that finds much."""
        scan = view.scan
        if not scan.order or not scan.has_limit or scan.groups or len(views) > 1:
            return None
        return by_order_of_many(view, self.coverage)

    def _cheapest(self, ways: Iterable[_Way], views: Sequence[View]) -> _Way:
        closed = [self._closed(views, reached, options) for reached, options in ways]
        return min(closed, key=_cost, default=(frozenset(), ()))

    def _closed(self, views: Sequence[View], reached: frozenset[str], options: tuple[Option, ...]) -> _Way:
        """Go on from the scans that are reached to all that are joined with them, by existing indexes first."""
        while True:
            left = [view for view in views if view.scan.alias not in reached]
            steps = [(view, option) for view in left if (option := self._step(view, reached)) is not None]
            if not steps:
                return reached, options
            view, option = min(steps, key=lambda step: step[1].cost > 0)
            if option.cost and not reached:
                return reached, options
            reached |= {view.scan.alias}
            options = (*options, option) if option is not SERVED else options

    def _step(self, view: View, reached: frozenset[str]) -> Option | None:
        joins = self._driving(view, reached)
        return by_joins(view, joins, self.coverage) if joins else None

    def _driving(self, view: View, reached: frozenset[str]) -> list[Condition]:
        """Return the conditions whose other side is known when the scan is read."""
        return [self._typed(view, each) for each in view.joins if self._is_known(view, each, reached)]

    def _is_known(self, view: View, condition: Condition, reached: frozenset[str]) -> bool:
        query = self._query_of(view, condition)
        if query == view.scan.query:
            return condition.term.other is not None and condition.term.other[0] in reached
        if query is not None and query < view.scan.query:
            # a derived table is joined like any other; what runs for each row knows that row
            is_derived = not view.scan.is_once and not self._is_semi(view)
            is_joined = is_derived or (view.dialect is Dialect.POSTGRESQL and self._is_semi(view))
            return not is_joined or self._is_restricted(query)
        if query is not None:
            return self._is_restricted(query)
        # a derived table or a common table expression
        others = {other.scan.query for other in self.views} - {view.scan.query}
        return any(self._is_restricted(query) for query in others)

    def _query_of(self, view: View, condition: Condition) -> int | None:
        """Return the query of the scan on the other side; None where that is no table."""
        if condition.term.other is None:
            return None
        alias = condition.term.other[0]
        found = [other.scan.query for other in self.views if other.scan.alias == alias]
        if condition.term.other_query is not None:
            return condition.term.other_query if condition.term.other_query in found else None
        outer = [query for query in found if query <= view.scan.query]
        return max(outer, default=min(found, default=None))

    def _is_semi(self, view: View) -> bool:
        """Whether PostgreSQL joins an EXISTS like a table rather than runs it for each row."""
        return any(join.kind in _SEMI and view.scan.alias in (join.left, join.right) for join in self.facts.joins)

    def _is_restricted(self, query: int) -> bool:
        """Whether a query finds few rows by conditions of its own, or stops early."""
        views = [view for view in self.views if view.scan.query == query]
        return any((self.own[v.key] is not None and not v.scan.is_outer) or v.scan.has_limit for v in views)

    def _typed(self, view: View, condition: Condition) -> Condition:
        """Add the obstacle of types between which an index on this side does not work."""
        other = condition.term.other
        if other is None or condition.obstacle is not None:
            return condition
        tables = [each.table for each in self.views if each.scan.alias == other[0]]
        column = tables[0].column(other[1]) if tables else None
        if column is None:
            return condition
        own, its = family_of(condition.column, view.dialect), family_of(column, view.dialect)
        works = compares_by_index(own, its, view.dialect)
        return condition if works else replace(condition, obstacle=Obstacle.TYPE)


def _is_narrowed(view: View) -> bool:
    """Whether a subquery restricts the scan, so that its order is that of what the subquery finds."""
    return any(each.term.operand == "subquery" for each in view.joins)


def _cost(way: _Way) -> float:
    return sum(option.cost for option in way[1])
