"""DBG903: a statement's plan is worse than the one that the baseline accepts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from pytest_dbguard.baseline.plans import PlanEntry
from pytest_dbguard.core.findings import Finding, Fix, PlanLine, Severity
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.planning.plan import Plan
from pytest_dbguard.planning.plan_changes import Changes
from pytest_dbguard.planning.plan_lines import figure, hot_node, plan_lines, two_trees
from pytest_dbguard.planning.workload import Use, WorkloadStatement
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage

SMALL_TABLE_ROWS = 500
"""Below this number of rows a database that tells no costs reads a table as fast without an index."""

_DEARER = 1.01
"""A plan that is not dearer by more than rounding is not worse, however it looks."""
_SHOWN_PLACES = 3


class PlanOptions(RuleOptions):
    """Options of plan-regression."""

    factor: float = Field(default=1.5, ge=1)
    min_cost: float = Field(default=100, ge=0)


@dataclass(frozen=True, slots=True)
class ComparedPlan:
    """A plan beside the one that is accepted for the same statement.

    Attributes:
        statement: What runs, and where.
        plan: The plan now.
        before: What is accepted.
        now: What would be accepted.
        changes: How the plans differ.
        has_same_sizes: Whether both were planned at the same sizes by the same planner, so that costs may be compared.
        has_same_text: Whether both were planned with the same constants.
        has_same_planner: Whether the same kind and version of planner chose them, whatever it was told of the rows.
        lost: (index, table) of the indexes that the accepted plan uses and that are not there any more.
        basis: What plans of this run rest on.
    """

    statement: WorkloadStatement
    plan: Plan
    before: PlanEntry
    now: PlanEntry
    changes: Changes
    has_same_sizes: bool
    has_same_text: bool = True
    has_same_planner: bool = True
    lost: tuple[tuple[str, str], ...] = ()
    basis: str = ""

    @property
    def costs(self) -> tuple[float, float] | None:
        """The costs before and now where they may be compared."""
        before, now = self.before.cost, self.now.cost
        return (before, now) if self.has_same_sizes and before is not None and now is not None else None

    @property
    def largest_rows(self) -> int:
        """Rows of the largest table that is read in a worse way, else of any table that it reads."""
        worse = [rows for table, rows in self.now.tables if table in self.changes.worse_tables]
        return max(worse or [rows for _, rows in self.now.tables], default=0)


class PlanRegression:
    """plan-regression (DBG903).

    ## What it does
    Compares the plan of each statement, at production's size, with the plan that the baseline accepts. Reports an
    index scan that became a sequential scan, a sort or a temporary table that appeared, and a cost that grew over a
    factor, with both plans. Statements that the baseline does not know are not judged; `--dbguard-update-baseline`
    takes them in.

    ## Why is this bad?
    A migration that drops an index, a column that changes its type, or a condition that no index serves any more break
    no test: on ten rows every plan is fast. Production finds out, under load.

    ## Example
    ```python
    # in the baseline: session.execute(text("CREATE INDEX i ON orders (customer_id)")); orders_of(session, 5)
    orders_of(session, 5)
    ```

    ## Use instead
    ```python
    # in the baseline: session.execute(text("CREATE INDEX i ON orders (customer_id)")); orders_of(session, 5)
    session.execute(text("CREATE INDEX i ON orders (customer_id)"))
    orders_of(session, 5)
    ```

    ## Options
    - `severity` (default "error").
    - `factor` (default 1.5): a plan may cost this many times what the accepted one costs.
    - `min_cost` (default 100): plans that cost less are not reported, in the planner's unit: reading a page from disk
      one after the other costs 1. SQLite tells no costs; there, tables below 500 rows are not reported.

    ## Limits
    Costs are compared only where the same version of the database planned at the same rows; with other rows only how
    tables are read is compared. Where the planner is another one, or where the tests run the statement with other
    constants, lists or limits than those that are accepted, only a plan whose index is gone is reported. Where one
    table is read worse and another better, the planner chose another order of joins: then the cost decides, and
    SQLite, which tells none, is believed.
    """

    code: ClassVar[str] = "DBG903"
    name: ClassVar[str] = "plan-regression"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = PlanOptions
    is_gate: ClassVar[bool] = True

    def __init__(self, options: RuleOptions) -> None:
        self._options = options if isinstance(options, PlanOptions) else PlanOptions()

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield nothing: the run as a whole is judged, against the baseline."""
        return ()

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield nothing: that there is this method tells that statements must be planned, for the comparison."""
        return ()

    def is_worse(self, found: ComparedPlan) -> bool:
        """Return whether a plan is worse than the accepted one, and large enough to say so."""
        cost = found.now.cost
        if cost is not None and cost < self._options.min_cost:
            return False
        if cost is None and found.largest_rows < SMALL_TABLE_ROWS:
            return False
        if not found.has_same_text or not found.has_same_planner:
            return bool(found.lost and found.changes.worse)
        if found.costs is None:
            return bool(found.changes.worse)
        before, now = found.costs
        return now > before * self._options.factor or bool(found.changes.worse and now > before * _DEARER)

    def finding(self, found: ComparedPlan) -> Finding:
        """Return the finding for a plan that is worse."""
        uses = sorted(found.statement.uses, key=lambda use: use.in_test_code)
        use = uses[0] if uses else Use(None, 0, ())
        return Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=_subject(found),
            message=_message(found),
            site=use.site,
            count=found.statement.count,
            tests=tuple(sorted({test for each in uses for test in each.tests})),
            in_test_code=use.in_test_code,
            fix=_fix(found),
            shape=found.statement.shape,
            evidence=tuple(_evidence(found, uses)),
            scope=use.scope,
            basis=found.basis,
            plan=_plan(found),
        )


def _subject(found: ComparedPlan) -> str:
    """Return the table that is read worse, else the largest."""
    worse = sorted(found.changes.worse_tables)
    largest = max(found.now.tables, key=lambda table: table[1], default=("", 0))[0]
    return worse[0] if worse else largest or found.statement.shape.id


def _message(found: ComparedPlan) -> str:
    costs = "" if found.costs is None else f"{figure(found.costs[0])} -> {figure(found.costs[1])}"
    if not found.changes.worse:
        return f"the plan of a statement on `{_subject(found)}` costs more than the accepted one: {costs}"
    first, *others = [change.text for change in found.changes.worse]
    more = f" and {len(others)} more" if len(others) > 1 else "".join(f", {text}" for text in others)
    return f"{first}{more}" + (f": cost {costs}" if costs else "")


def _fix(found: ComparedPlan) -> Fix:
    otherwise = "or accept the new plan with --dbguard-update-baseline"
    if found.lost:
        indexes = " and ".join(f"`{index}` of `{table}`" if table else f"`{index}`" for index, table in found.lost)
        return Fix(f"put the index {indexes} back, {otherwise}")
    return Fix(f"write the statement so that it is planned as before, {otherwise}")


def _evidence(found: ComparedPlan, uses: list[Use]) -> Iterator[str]:
    if found.lost:
        names = (f"index `{index}`" + (f" on `{table}`" if table else "") for index, table in found.lost)
        yield f"gone: {', '.join(names)}"
    shown = {change.text for change in found.changes.worse[:2]}
    yield from (change.text for change in found.changes.changes if change.text not in shown)
    places = list(dict.fromkeys(use.site.label for use in uses[1:] if use.site is not None))
    if places:
        more = f" and {len(places) - _SHOWN_PLACES} more places" if len(places) > _SHOWN_PLACES else ""
        yield f"also run at {', '.join(places[:_SHOWN_PLACES])}{more}"


def _plan(found: ComparedPlan) -> tuple[PlanLine, ...]:
    """Return both plans where they differ, else the one plan that costs more now."""
    if found.changes.before == found.changes.now:
        return plan_lines(found.plan, hot_node(found.plan))
    before, now = found.costs or (None, None)
    return two_trees(found.changes.before, found.changes.now, before_cost=before, now_cost=now)
