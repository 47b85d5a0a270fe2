"""Verdicts on the indexes that one statement wants, and on the terms that no index serves as they are written."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pytest_dbguard.planning.assessment import Basis, Unusable, Verdict, Wanted
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.open_ranges import closed
from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.planning.statements import Prepared, Variant
from pytest_dbguard.planning.statistics.model import Origin, Statistics
from pytest_dbguard.planning.what_if import Effect, WhatIf, skips
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.sql.facts.model import TermKind

_T = TypeVar("_T", Wanted, Unusable)
Judged = tuple[tuple[tuple[Wanted, Verdict], ...], tuple[tuple[Unusable, Verdict], ...]]

_SORTS = (Access.SORT, Access.TEMPORARY)

FEW_VALUES = 100
"""Of a column with at most so many values any hundred rows hold the one that is looked for."""

RANGE_GAIN = 0.5
"""An index that nothing but a range or a sort asks for helps where the cost with it is at most this share."""

SMALL_TABLE_ROWS = 500
"""Reading a table of fewer rows costs no more than an index."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Candidates that are judged together: one, or those that an OR needs."""

    members: tuple[Wanted | Unusable, ...]

    @property
    def specs(self) -> tuple[IndexSpec, ...]:
        """What would be made."""
        return tuple(dict.fromkeys(member.spec for member in self.members if member.spec is not None))


class VerdictMaker:
    """Judges statements of one schema, by a lab where there is one."""

    def __init__(self, catalog: Catalog, statistics: Statistics, what_if: WhatIf | None) -> None:
        self._catalog = catalog
        self._statistics = statistics
        self._what_if = what_if
        self._rows = {table.name.lower(): table.rows for table in statistics.tables}

    def judge(self, prepared: Prepared) -> Judged:
        """Return verdicts on all that the variants of a statement want; what helps one of them helps."""
        wanted: dict[object, tuple[Wanted, Verdict]] = {}
        unusable: dict[object, tuple[Unusable, Verdict]] = {}
        for variant in prepared.variants:
            for member, verdict in self._of_variant(variant):
                if isinstance(member, Wanted):
                    _keep_better(wanted, (member.spec, member.alias, member.query), member, verdict)
                else:
                    key = (member.obstacle, member.alias, member.query, member.term.expression)
                    _keep_better(unusable, key, member, verdict)
        return _once(tuple(wanted.values()), tuple(unusable.values()))

    def basis(self, table: str, schema: str) -> Basis:
        """Return what a plan that reads this table rests on."""
        known = self._statistics.table(table, schema)
        is_proven = known is not None and known.origin is Origin.PRODUCTION
        return Basis.PROVEN if is_proven else Basis.MODELLED

    def rows(self, table: str, schema: str) -> float:
        """Return the rows of a table that are assumed."""
        known = self._statistics.table(table, schema)
        return known.rows if known is not None else self._statistics.default_rows

    def _of_variant(self, variant: Variant) -> Iterator[tuple[Wanted | Unusable, Verdict]]:
        what_if = self._what_if
        plan = what_if.plan(variant.sql).plan if what_if is not None else None
        units = _units(variant)
        if what_if is None or plan is None:
            static = Verdict(True, Basis.STATIC)
            yield from ((wanted, static) for wanted in variant.wanted)
            yield from ((unusable, static) for unusable in variant.unusable)
            return
        effects = what_if.helpful(variant.sql, [what_if.names(unit.specs) for unit in units], self._rows)
        for unit, found in zip(units, effects, strict=True):
            for member in unit.members:
                effect = None if found is None or self._is_slight(member, found) else found
                if effect is not None:
                    is_needless = self._is_pruned(member) or self._stops_early(variant, member, effect)
                    yield member, self._verdict(member, None if is_needless else effect)
                elif isinstance(member, Wanted):
                    yield member, self._of_range(variant, member, plan)
                else:
                    tried = self._untried(member)
                    yield tried, self._without_candidate(variant, tried, plan)
        for each in variant.unusable:
            if each.spec is None:
                yield each, self._without_candidate(variant, each, plan)

    def _of_range(self, variant: Variant, wanted: Wanted, plan: Plan) -> Verdict:
        """Judge an index for a range of unknown width by a narrow one; the plan shown is that of the statement."""
        is_open = wanted.is_range_only and self._catalog.dialect is Dialect.POSTGRESQL
        effect = self._of_narrow_range(variant, wanted) if is_open else None
        verdict = self._verdict(wanted, effect)
        return verdict if effect is None else replace(verdict, is_assumed=True, plan_before=plan)

    def _is_pruned(self, member: Wanted | Unusable) -> bool:
        """Whether a range of a partition key is all that is asked for: partitions are what finds it."""
        if not isinstance(member, Wanted) or not member.is_range_only:
            return False
        table = self._catalog.table(member.spec.table, member.spec.schema)
        key = re.findall(r"\w+", table.partition_key) if table is not None else []
        return member.spec.columns[0] in key

    def _stops_early(self, variant: Variant, member: Wanted | Unusable, effect: Effect) -> bool:
        """Whether a plan without costs reads an index in order and soon has found what LIMIT asks for."""
        scan = variant.facts.scan(member.alias, member.query)
        if not isinstance(member, Wanted) or scan is None or not scan.has_limit or effect.before.cost is not None:
            return False
        nodes = list(effect.before.root.walk())
        is_sorted = any(node.access in _SORTS for node in nodes)
        in_order = any(node.is_whole and node.index and node.table.lower() == scan.table.lower() for node in nodes)
        return in_order and not is_sorted and self._values(member) <= FEW_VALUES

    def _values(self, wanted: Wanted) -> float:
        """Return how many different values the columns have that are compared with one: one in so many rows fits."""
        table = self._statistics.table(wanted.spec.table, wanted.spec.schema)
        names = [term.column for term in wanted.terms if term.kind in (TermKind.EQUAL, TermKind.NULL)]
        known = [column.distinct(table.rows) for name in names if table and (column := table.column(name))]
        return math.prod(number or math.inf for number in known)

    def _is_slight(self, member: Wanted | Unusable, effect: Effect) -> bool:
        """Whether an index for a range of unknown width saves little: with another width it may save nothing."""
        if not isinstance(member, Wanted) or not member.is_range_only or self._has_histogram(member):
            return False
        before, after = effect.before.cost, effect.after.cost
        if before is None or after is None:
            nodes, table = list(effect.before.root.walk()), member.spec.table.lower()
            is_sorted = any(node.access in _SORTS for node in nodes)
            return not is_sorted and any(skips(node) and node.table.lower() == table for node in nodes)
        return after > before * RANGE_GAIN

    def _of_narrow_range(self, variant: Variant, wanted: Wanted) -> Effect | None:
        what_if = self._what_if
        if what_if is None or self._has_histogram(wanted) or self._is_pruned(wanted):
            return None
        sql = closed(variant.sql, wanted.terms, wanted.alias)
        names = what_if.names([wanted.spec])
        return what_if.helpful(sql, [names], self._rows)[0] if sql is not None and names else None

    def _has_histogram(self, wanted: Wanted) -> bool:
        """Whether the planner knows the values of the range's column, and is told the bound."""
        table = self._statistics.table(wanted.spec.table, wanted.spec.schema)
        for term in wanted.terms:
            column = table.column(term.column) if table is not None else None
            if column and term.operand == "literal" and any(s.kind == 2 and s.values for s in column.slots):
                return True
        return False

    def _verdict(self, member: Wanted | Unusable, effect: Effect | None) -> Verdict:
        spec = member.spec
        assert spec is not None
        table, schema = spec.table, spec.schema
        return Verdict(
            helps=effect is not None,
            basis=self.basis(table, schema),
            cost_before=effect.before.cost if effect else None,
            cost_after=effect.after.cost if effect else None,
            plan_before=effect.before if effect else None,
            plan_after=effect.after if effect else None,
            size=self._what_if.size(spec) if effect and self._what_if else None,
            rows=self.rows(table, schema),
        )

    def _without_candidate(self, variant: Variant, unusable: Unusable, plan: Plan) -> Verdict:
        """Judge a term for which no index could be tried: it costs where its table is read from end to end for it."""
        scan = variant.facts.scan(unusable.alias, unusable.query)
        name, schema = (scan.table, scan.schema) if scan is not None else (unusable.table, "")
        rows = self.rows(name, schema)
        # the planner that has the index and does not want it has said so, unless it had to guess how much is asked for
        is_open = unusable.spec is None or unusable.term.kind is TermKind.RANGE or not self._is_made(unusable.spec)
        is_read = any(_reads_all(node, name, unusable.alias) for node in plan.root.walk())
        helps = is_open and is_read and rows >= SMALL_TABLE_ROWS
        return Verdict(helps, self.basis(name, schema), plan_before=plan, rows=rows, is_assumed=helps)

    def _untried(self, unusable: Unusable) -> Unusable:
        """Return a term without the index that SQLite did not take: there it means that the spelling differs."""
        is_spelling = self._catalog.dialect is Dialect.SQLITE and bool(unusable.rewrite)
        return replace(unusable, spec=None) if is_spelling else unusable

    def _is_made(self, spec: IndexSpec) -> bool:
        return self._what_if is not None and bool(self._what_if.names([spec]))


def _reads_all(node: Node, table: str, alias: str) -> bool:
    is_read = node.is_whole or node.access is Access.AUTOMATIC_INDEX
    return is_read and (node.table == table or node.alias == alias)


def _units(variant: Variant) -> tuple[Unit, ...]:
    """Return the candidates of a text by what is judged together: those of one OR, and those of one shape."""
    units: dict[object, list[Wanted | Unusable]] = {}
    for wanted in variant.wanted:
        key = (wanted.query, wanted.alias, wanted.group) if wanted.group else wanted.spec
        units.setdefault(key, []).append(wanted)
    for unusable in variant.unusable:
        if unusable.spec is not None:
            units.setdefault(unusable.spec, []).append(unusable)
    return tuple(Unit(tuple(members)) for members in units.values())


def _keep_better(found: dict[object, tuple[_T, Verdict]], key: object, member: _T, verdict: Verdict) -> None:
    known = found.get(key)
    if known is None or (verdict.helps and not known[1].helps):
        found[key] = (member, verdict)


def _once(wanted: Sequence[tuple[Wanted, Verdict]], unusable: Sequence[tuple[Unusable, Verdict]]) -> Judged:
    """Leave each term to one verdict: how it is written comes before a new index, except where that index helps alone.

    What no index serves is not told where another index finds the rows of the same scan.
    """
    scans = {(each.alias, each.query) for each, verdict in wanted if verdict.helps}
    told = tuple(
        (each, verdict if each.spec is not None or (each.alias, each.query) not in scans else _unneeded(verdict))
        for each, verdict in unusable
    )
    taken = {(each.alias, each.query, each.term.column) for each, verdict in told if verdict.helps}
    rest = tuple((each, verdict if not _is_taken(each, taken) else _unneeded(verdict)) for each, verdict in wanted)
    return rest, told


def _unneeded(verdict: Verdict) -> Verdict:
    return replace(verdict, helps=False)


def _is_taken(wanted: Wanted, taken: Iterable[tuple[str, int, str]]) -> bool:
    return bool(wanted.terms) and (wanted.alias, wanted.query, wanted.terms[0].column) in set(taken)
