"""What advice is: the indexes to make and to drop, and what that changes for each statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pytest_dbguard.core.findings import Shape
from pytest_dbguard.planning.assessment import Basis
from pytest_dbguard.planning.lab.base import IndexSpec, LabDescription
from pytest_dbguard.planning.plan import Plan


class Ending(StrEnum):
    """Why the search ended."""

    COMPLETE = "complete"
    """Nothing that it tries makes the set better."""
    TIME = "time"
    """The time limit; the set is the best so far."""
    INTERRUPTED = "interrupted"
    """Somebody stopped it; the set is the best so far."""


@dataclass(frozen=True, slots=True)
class AdvisedIndex:
    """One index to make.

    Attributes:
        spec: The index.
        size_bytes: At the sizes that were assumed.
        benefit: Share of the workload's cost that comes back when it alone is left out, from 0 to 1.
        write_cost: What writes pay for it, in the planner's units for the whole workload.
        serves: Ids of the shapes whose plans use it.
        replaces: Names of existing indexes that it makes redundant.
        beside: Name of an existing index that begins with the same keys, whose size is what this one saves; "" mostly.
    """

    spec: IndexSpec
    size_bytes: int
    benefit: float
    write_cost: float
    serves: tuple[str, ...]
    replaces: tuple[str, ...] = ()
    beside: str = ""


@dataclass(frozen=True, slots=True)
class DroppedIndex:
    """An existing index that can go: its table's label, its name, why, and what it weighs."""

    table: str
    name: str
    reason: str
    size_bytes: int
    schema: str = ""


@dataclass(frozen=True, slots=True)
class StatementCost:
    """One statement before and after.

    Attributes:
        shape: The statement.
        weight: Executions that it counts for.
        before: Cost of one execution as the schema is.
        after: With the advice.
        plan_before: As the schema is.
        plan_after: With the advice.
        indexes: Names, as `spelling.name_of` makes them, of the advised indexes that its plan uses.
    """

    shape: Shape
    weight: float
    before: float
    after: float
    plan_before: Plan | None = None
    plan_after: Plan | None = None
    indexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """The set after one step of the search: its size, the workload's cost in the planner's units."""

    size_bytes: int
    cost: float


@dataclass(frozen=True, slots=True)
class Advice:
    """The whole of it.

    Attributes:
        indexes: To make, most useful first.
        drops: To drop.
        statements: Those whose cost was known, dearest first.
        cost_before: Of the workload: sum of weight times cost, without writes' part.
        cost_after: With the advice.
        write_cost: What writes pay more (or less, by drops), in the same units.
        size_bytes: Of all new indexes.
        budget_bytes: What was allowed; None without a budget.
        path: Size and cost after each step of the search.
        not_analysed: (reason, number) of statements that have no plan.
        explains: Plans that were asked for.
        elapsed_s: What it took.
        ending: Why the search ended.
        lab: The lab.
        basis: What the figures rest on.
    """

    indexes: tuple[AdvisedIndex, ...]
    drops: tuple[DroppedIndex, ...]
    statements: tuple[StatementCost, ...]
    cost_before: float
    cost_after: float
    write_cost: float
    size_bytes: int
    budget_bytes: int | None
    path: tuple[Step, ...]
    not_analysed: tuple[tuple[str, int], ...]
    explains: int
    elapsed_s: float
    ending: Ending
    lab: LabDescription
    basis: Basis
    told: tuple[str, ...] = field(default=())
