"""From a workload on a schema to an assessment: facts of each statement, wanted indexes, and what the planner says."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.foreign_keys import unindexed_keys, wanted_keys
from pytest_dbguard.planning.index_use import used_indexes
from pytest_dbguard.planning.lab.base import IndexSpec, Lab
from pytest_dbguard.planning.sizes import with_sizes
from pytest_dbguard.planning.statements import PLANNED, Prepared, Reader
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.verdicts import VerdictMaker
from pytest_dbguard.planning.what_if import WhatIf
from pytest_dbguard.planning.wider import with_wider
from pytest_dbguard.planning.workload import Workload, WorkloadStatement
from pytest_dbguard.schema.catalog import Catalog

MAX_STATEMENTS = 2_000
"""Shapes of one schema that are looked at; a run with more is not about its indexes."""

READING = 0.6
"""Share of the time in which statements are read; what is left is the planner's."""

TREES = 50_000
"""Objects that are made between two looks for cycles while statements are read: those of about 50 of them."""

NO_TIME = "no time was left"
TOO_MANY = f"more than {MAX_STATEMENTS:,} shapes"


def assess(
    workload: Workload,
    catalog: Catalog,
    statistics: Statistics,
    lab: Lab | None,
    *,
    no_lab: str = "",
    drift: Sequence[str] = (),
    deadline_s: float = 60,
    clock: Callable[[], float] = time.monotonic,
    most: int | None = None,
) -> Assessment:
    """Return what planning finds out about a workload.

    `drift` is kept as it is: how the schema that the statistics were taken from differs from this one. Without a lab
    verdicts are static, for the reason `no_lab`. After `deadline_s` seconds of `clock` the statements that are left are
    counted as not analysed, as are shapes beyond `most` (`MAX_STATEMENTS`). The lab stays open; its candidates stay
    hidden.
    """
    sized = lab.statistics if lab else completed(statistics, catalog)
    run = _Run(catalog, sized, lab, clock, deadline_s, MAX_STATEMENTS if most is None else most)
    statements = run.statements(workload.statements)
    return Assessment(
        catalog,
        run.statistics,
        statements,
        lab=lab.description if lab else None,
        no_lab=no_lab,
        used_indexes=used_indexes(statements, catalog),
        not_analysed=_not_analysed(workload, statements),
        drift=tuple(drift),
        keys=unindexed_keys(catalog, run.verdicts, run.what_if),
    )


class _Run:
    """One assessment while it is made."""

    def __init__(
        self,
        catalog: Catalog,
        statistics: Statistics,
        lab: Lab | None,
        clock: Callable[[], float],
        deadline_s: float,
        most: int,
    ) -> None:
        self.statistics = statistics
        self._catalog = catalog
        self.what_if = WhatIf(lab) if lab is not None else None
        self.verdicts = VerdictMaker(catalog, statistics, self.what_if)
        self._reader = Reader(catalog, statistics)
        began = clock()
        self._clock, self._deadline = clock, began + deadline_s
        self._read_until = began + deadline_s * READING
        self._most = most

    def _is_late(self) -> bool:
        return self._clock() > self._deadline

    def statements(self, found: Iterable[WorkloadStatement]) -> tuple[AssessedStatement, ...]:
        """Return all statements, by shape id, assessed as far as time allows."""
        ordered = sorted((each for each in found if each.verb.upper() in PLANNED), key=lambda each: each.shape.id)
        with _seldom_collected():
            prepared = [self._prepare(number, each) for number, each in enumerate(ordered)]
        if self.what_if is not None:
            self.what_if.add((*_specs(prepared), *(spec for _, _, spec in wanted_keys(self._catalog, self.verdicts))))
        assessed = with_wider([self._assess(each) for each in prepared])
        if self.what_if is None:
            return assessed
        return with_sizes(assessed, prepared, self.what_if, self._is_late)

    def _prepare(self, number: int, statement: WorkloadStatement) -> Prepared:
        if number >= self._most:
            return Prepared(statement, problem=TOO_MANY)
        is_late = self._clock() > self._read_until
        return Prepared(statement, problem=NO_TIME) if is_late else self._reader.prepare(statement)

    def _assess(self, prepared: Prepared) -> AssessedStatement:
        assessed = AssessedStatement(prepared.statement, prepared.facts, problem=prepared.problem)
        if not prepared.variants:
            return assessed
        if self.what_if is not None and self._is_late():
            return replace(assessed, problem=NO_TIME)
        wanted, unusable = self.verdicts.judge(prepared)
        joins, marks = prepared.variants[0].unused_joins, prepared.variants[0].marks
        assessed = replace(assessed, wanted=wanted, unusable=unusable, unused_joins=joins, marks=marks)
        if self.what_if is None:
            return assessed
        sql = prepared.variants[0].sql
        explained = self.what_if.plan(sql)
        problem = "the planner refused it" if explained.problem else ""
        return replace(assessed, plan=explained.plan, planned_text=sql, problem=problem)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Look for cycles seldom: trees are full of them, and each time all objects of a run of tests are looked at."""
    thresholds = gc.get_threshold()
    if gc.isenabled() and thresholds[0]:
        gc.set_threshold(max(thresholds[0], TREES), *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _specs(prepared: Iterable[Prepared]) -> Iterable[IndexSpec]:
    for each in prepared:
        for variant in each.variants:
            yield from (wanted.spec for wanted in variant.wanted)
            yield from (unusable.spec for unusable in variant.unusable if unusable.spec is not None)


def _not_analysed(workload: Workload, statements: Sequence[AssessedStatement]) -> MappingProxyType[str, int]:
    reasons = Counter(each.problem for each in statements if each.problem)
    reasons.update(workload.skipped)
    return MappingProxyType(dict(sorted(reasons.items())))
