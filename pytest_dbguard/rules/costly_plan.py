"""DBG305: a statement costs much at production's size, and no index would change that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import Field

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment, Verdict
from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.planning.plan_effort import allowed_bytes, needed_bytes, with_cuts
from pytest_dbguard.planning.plan_lines import figure, hot_node, plan_lines
from pytest_dbguard.planning.statistics.model import Origin
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.index_findings import IndexRule, at_each_place, basis_text, size_text

_BY_INDEX: Final = frozenset({Access.INDEX, Access.INDEX_ONLY, Access.BITMAP})
_WAITING: Final = frozenset({Access.SORT, Access.TEMPORARY})


class CostlyPlanOptions(RuleOptions):
    """Options of costly-plan."""

    max_cost: float = Field(default=500_000, gt=0)
    max_rows: float = Field(default=500_000, gt=0)


@dataclass(frozen=True, slots=True)
class _Fact:
    """What is costly about a plan: in words, the table, and the node that shows it."""

    text: str
    table: str
    node: Node


class CostlyPlan(IndexRule):
    """costly-plan (DBG305).

    ## What it does
    Finds statements that cost more than a limit at production's size, read more rows of one table than a limit, or
    sort or hash more than fits into the memory that one step of a query may use. Statements that an index would help
    are left to the rules about indexes.

    ## Why is this bad?
    What reads millions of rows for one answer takes seconds, takes the cache from all others, and takes longer with
    every row that is added. What does not fit into memory goes to disk and comes back.

    ## Example
    ```python
    # dbguard: max_rows = 5000
    class Base(DeclarativeBase):
        pass

    class Measurement(Base):
        __tablename__ = "measurement"
        id: Mapped[int] = mapped_column(primary_key=True)
        value: Mapped[int]

    Base.metadata.create_all(engine)
    session.scalars(select(Measurement)).all()
    ```

    ## Use instead
    ```python
    # dbguard: max_rows = 5000
    class Base(DeclarativeBase):
        pass

    class Measurement(Base):
        __tablename__ = "measurement"
        id: Mapped[int] = mapped_column(primary_key=True)
        value: Mapped[int]

    Base.metadata.create_all(engine)
    session.scalars(select(Measurement).order_by(Measurement.id).limit(50)).all()
    ```

    ## Options
    - `severity` (default "warning").
    - `max_cost` (default 500000): cost of a plan, in PostgreSQL's unit. SQLite tells no costs.
    - `max_rows` (default 500000): rows of one table that are read, or that an index is expected to find.

    ## Limits
    Memory is judged in PostgreSQL, and only where somebody told how many rows the table has: production's statistics
    or `[tool.dbguard.scale]`. `work_mem` is production's where the statistics hold it, else 4 MB.
    """

    code: ClassVar[str] = "DBG305"
    name: ClassVar[str] = "costly-plan"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW
    options_model: ClassVar[type[RuleOptions]] = CostlyPlanOptions

    def __init__(self, options: RuleOptions) -> None:
        super().__init__(options)
        self._limits = options if isinstance(options, CostlyPlanOptions) else CostlyPlanOptions()

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each costly statement and each place that runs it."""
        for statement in assessment.statements:
            if statement.plan is None or _is_helped(statement):
                continue
            facts = list(self._facts(statement, statement.plan, assessment))
            if facts:
                yield from at_each_place(self._finding(facts, statement.plan, assessment), statement)

    def _facts(self, statement: AssessedStatement, plan: Plan, assessment: Assessment) -> Iterator[_Fact]:
        if plan.cost is not None and plan.cost > self._limits.max_cost:
            hot = hot_node(plan) or plan.root
            table = _table_below(hot) or _table_below(plan.root)
            what = f"a statement on `{table}`" if table else "a statement without a table"
            yield _Fact(f"{what} costs {figure(plan.cost)} in the planner's unit", table, hot)
        yield from self._large_reads(statement, plan, assessment)
        if plan.cost is not None:
            yield from _spills(plan, assessment)

    def _large_reads(self, statement: AssessedStatement, plan: Plan, assessment: Assessment) -> Iterator[_Fact]:
        for node, is_cut in with_cuts(plan.root):
            if not node.table or is_cut or _stops_early(node, statement, plan):
                continue
            rows = _rows(node, assessment)
            if node.is_whole and rows > self._limits.max_rows:
                yield _Fact(f"reads all {figure(rows)} rows of `{node.table}`", node.table, node)
            elif node.access in _BY_INDEX and (node.rows or 0) > self._limits.max_rows:
                yield _Fact(f"reads about {figure(node.rows or 0)} rows of `{node.table}`", node.table, node)

    def _finding(self, facts: list[_Fact], plan: Plan, assessment: Assessment) -> Finding:
        first, *others = facts
        known = assessment.statistics.table(first.table)
        verdict = Verdict(helps=False, basis=assessment.basis, rows=known.rows if known is not None else None)
        return Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=first.table or plan.root.text,
            message=first.text,
            fix=Fix("read fewer rows: by a narrower condition, in pages, or from what is kept ready for this question"),
            evidence=tuple(dict.fromkeys(fact.text for fact in others)),
            basis="" if known is None else basis_text(assessment, verdict, first.table),
            plan=plan_lines(plan, first.node),
        )


def _is_helped(statement: AssessedStatement) -> bool:
    """Whether an index helps: then that is the fact, and other rules tell it."""
    verdicts = [verdict for _, verdict in (*statement.wanted, *statement.unusable)]
    return any(verdict.helps for verdict in verdicts)


def _stops_early(node: Node, statement: AssessedStatement, plan: Plan) -> bool:
    """Whether a LIMIT stops SQLite, whose plans do not show it, before it has read a table to its end."""
    if plan.cost is not None or any(each.access in _WAITING for each in plan.root.walk()):
        return False
    return any(scan.has_limit for scan in statement.facts.scans if scan.alias.lower() == node.alias.lower())


def _rows(node: Node, assessment: Assessment) -> float:
    known = assessment.statistics.table(node.table, node.schema)
    return known.rows if known is not None else 0.0


def _table_below(node: Node) -> str:
    return next((each.table for each in node.walk() if each.table), "")


def _spills(plan: Plan, assessment: Assessment) -> Iterator[_Fact]:
    """Yield the sorts and hashes that do not fit into memory, where the sizes of their tables are known."""
    statistics = assessment.statistics
    major = int("".join(re.findall(r"\A\d+", assessment.lab.version if assessment.lab else "")) or 0)
    for node, is_cut in with_cuts(plan.root):
        # with a LIMIT above only its rows are kept, and a sort by groups keeps one group
        is_sort = node.text == "Sort" and not is_cut
        if not is_sort and node.access is not Access.HASH:
            continue
        allowed, needed = allowed_bytes(node, statistics.settings, major), needed_bytes(node)
        known = statistics.table(_table_below(node))
        if needed > allowed and known is not None and known.origin is not Origin.DEFAULT:
            what = f"{'sorts' if is_sort else 'hashes'} about {size_text(needed)} of `{known.name}`"
            yield _Fact(f"{what}, more than the {size_text(allowed)} that it may keep in memory", known.name, node)
