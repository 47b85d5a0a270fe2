"""Reads a workload for advice: texts that a planner can be asked about, each with its facts and what it weighs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from pytest_dbguard.planning.candidates.conditions import View, views_of
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.statements import PLANNED, Reader, Variant
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import Workload, WorkloadStatement
from pytest_dbguard.schema.catalog import Catalog

NO_TIME = "no time was left"


@dataclass(frozen=True, slots=True)
class Item:
    """One text of a statement.

    Attributes:
        number: Its place among the items, from 0.
        statement: What it is a text of.
        sql: To be explained. It may hold literals: never show it.
        variant: Its facts.
        views: Its scans of tables that can have indexes.
        weight: Executions that it counts for.
    """

    number: int
    statement: WorkloadStatement
    sql: str
    variant: Variant
    views: tuple[View, ...]
    weight: float

    @property
    def proposed(self) -> tuple[IndexSpec, ...]:
        """Indexes that the rules would propose for it alone."""
        wanted = (each.spec for each in self.variant.wanted)
        return (*wanted, *(each.spec for each in self.variant.unusable if each.spec is not None))


def items_of(
    workload: Workload, catalog: Catalog, statistics: Statistics, is_late: Callable[[], bool]
) -> tuple[tuple[Item, ...], Counter[str]]:
    """Return the texts of a workload by shape id, and the numbers of shapes without one by reason.

    Where constants decide the plan, the weight of a statement is shared among its texts.
    """
    reader = Reader(catalog, statistics)
    found: list[Item] = []
    skipped: Counter[str] = Counter(workload.skipped)
    for statement in sorted(workload.statements, key=lambda each: each.shape.id):
        if statement.verb.upper() not in PLANNED:
            continue
        if is_late():
            skipped[NO_TIME] += 1
            continue
        prepared = reader.prepare(statement)
        if not prepared.variants:
            skipped[prepared.problem] += 1
        for variant in prepared.variants:
            views = views_of(variant.facts, catalog, statistics, variant.sql)
            weight = max(statement.count, 1) / len(prepared.variants)
            found.append(Item(len(found), statement, variant.sql, variant, views, weight))
    return tuple(found), skipped
