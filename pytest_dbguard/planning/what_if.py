"""What a planner does with indexes that do not exist: which of several help a statement, by plans without and with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_dbguard.planning.lab.base import Explained, IndexSize, IndexSpec, Lab, LabError
from pytest_dbguard.planning.plan import Access, Node, Plan

ENOUGH_ALONE = 0.9
"""An index helps where the cost with it is at most this share of the cost without."""

ENOUGH_AMONG_OTHERS = 1.1
"""Or where leaving it out of the plan with all of them makes that at least so many times as dear."""

LEAST_GAIN = 5.0
"""What is saved must be worth a page read at random, which costs 4 where nobody says otherwise."""

SKIP_SCAN = 0.1
"""A search once for each value of the columns that are skipped counts as reading this share of the table."""

_SKIPS = "ANY("


@dataclass(frozen=True, slots=True)
class Effect:
    """Indexes that help one text: the plans without and with them."""

    before: Plan
    after: Plan


@dataclass(slots=True)
class WhatIf:
    """Asks a lab, each question once.

    Attributes:
        lab: Open, its candidates hidden.
        asked: Number of questions that reached the lab.
    """

    lab: Lab
    asked: int = 0
    _names: dict[IndexSpec, str] = field(default_factory=dict)
    _plans: dict[tuple[str, frozenset[str]], Explained] = field(default_factory=dict)

    def add(self, specs: Iterable[IndexSpec]) -> None:
        """Make all candidates at once; those that the lab refuses help nobody."""
        new = [spec for spec in dict.fromkeys(specs) if spec not in self._names]
        if new:
            self._names |= dict(zip(new, self.lab.add(new), strict=True))

    def names(self, specs: Iterable[IndexSpec]) -> frozenset[str]:
        """Return the names in the lab of candidates that belong together; empty where the lab refused one of them."""
        names = frozenset(self._names.get(spec, "") for spec in specs)
        return frozenset() if "" in names else names

    def size(self, spec: IndexSpec) -> IndexSize | None:
        """Return what a candidate weighs; None where the lab cannot tell."""
        name = self._names.get(spec, "")
        try:
            return self.lab.size_of(name) if name else None
        except LabError:
            return None

    def plan(self, sql: str, shown: frozenset[str] = frozenset()) -> Explained:
        """Return the plan with some candidates visible; what the planner refuses is told in the answer."""
        key = (sql, shown)
        if key not in self._plans:
            self.asked += 1
            self._plans[key] = self._ask(sql, shown)
        return self._plans[key]

    def _ask(self, sql: str, shown: frozenset[str]) -> Explained:
        try:
            if not shown:
                return self.lab.explain(sql)
            with self.lab.visible(shown=sorted(shown)):
                return self.lab.explain(sql)
        except LabError as error:
            return Explained(None, str(error))

    def helpful(
        self, sql: str, units: Sequence[frozenset[str]], rows: Mapping[str, float]
    ) -> tuple[Effect | None, ...]:
        """Return for each unit of candidates what it does for a text; None where it does not help.

        A unit helps where it is used and the plan is cheaper by a tenth with it alone, or dearer by a tenth without it
        among all others. Of units that do the same for a text those help that the planner takes when it has all.
        `rows` are those of the tables by name in small letters, for planners that tell no costs.
        """
        before = self.plan(sql).plan
        joint = self.plan(sql, frozenset().union(*units)).plan if units else None
        if before is None or joint is None:
            return tuple(None for _ in units)
        return tuple(self._effect(sql, unit, units, before, joint, rows) for unit in units)

    def _effect(
        self,
        sql: str,
        unit: frozenset[str],
        units: Sequence[frozenset[str]],
        before: Plan,
        joint: Plan,
        rows: Mapping[str, float],
    ) -> Effect | None:
        if not unit or not unit & joint.indexes:
            return None
        alone = self.plan(sql, unit).plan
        is_used = alone is not None and bool(unit & alone.indexes)
        if alone is not None and is_used and _ratio(alone, before, rows) <= ENOUGH_ALONE and _saves(before, alone):
            return Effect(before, alone)
        others = frozenset().union(*(other for other in units if other is not unit)) - unit
        without = self.plan(sql, others).plan if others else None
        is_dearer = without is not None and _ratio(without, joint, rows) >= ENOUGH_AMONG_OTHERS
        if without is not None and is_dearer and _saves(without, joint):
            return Effect(without, joint)
        return None


def effort(plan: Plan, rows: Mapping[str, float]) -> float:
    """Return how many rows a plan without costs reads by scans and puts into temporaries.

    Scans of indexes from end to end count as scans: they read as many rows, unless a LIMIT stops them, and what they
    save then is the temporary. A temporary behind a search holds what was found, of which only this is known: it is
    less than the table.
    """
    nodes = list(plan.root.walk())
    read = sum(_weight(node, rows) for node in nodes)
    most = max((_rows_of(node, rows) for node in nodes if node.table), default=1.0)
    temporaries = sum(node.access in (Access.TEMPORARY, Access.SORT) for node in nodes)
    return read + temporaries * (most if read else most / 2)


def _weight(node: Node, rows: Mapping[str, float]) -> float:
    if node.access is Access.AUTOMATIC_INDEX:
        # it reads the table to build what it searches
        return 2 * _rows_of(node, rows)
    if skips(node):
        return SKIP_SCAN * _rows_of(node, rows)
    return _rows_of(node, rows) if node.is_whole else 0.0


def skips(node: Node) -> bool:
    """Whether SQLite searches an index once for each value of the columns that stand before those of the condition."""
    return any(text.startswith(_SKIPS) for _, text in node.condition)


def _rows_of(node: Node, rows: Mapping[str, float]) -> float:
    return rows.get(node.table.lower(), 1.0)


def _saves(before: Plan, after: Plan) -> bool:
    """Whether the difference is worth telling, where costs are known."""
    return before.cost is None or after.cost is None or before.cost - after.cost >= LEAST_GAIN


def _ratio(one: Plan, other: Plan, rows: Mapping[str, float]) -> float:
    """Return the cost of one plan as a share of another's; 1 where neither costs anything."""
    if one.cost is not None and other.cost is not None:
        return one.cost / other.cost if other.cost else 1.0
    first, second = effort(one, rows), effort(other, rows)
    if second:
        return first / second
    return 1.0 if first == 0 else float("inf")
