"""Compares the plans of a run with those that the baseline accepts: regressions, and the update."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b

from pytest_dbguard.analysis.judge import ActiveRule
from pytest_dbguard.baseline.model import Baseline
from pytest_dbguard.baseline.plans import PlanBasis, PlanEntry, PlanKey, Plans
from pytest_dbguard.core.findings import Finding, Status
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment, Verdict
from pytest_dbguard.planning.plan import Access, Plan
from pytest_dbguard.planning.plan_changes import compare
from pytest_dbguard.planning.plan_shape import plan_shape, shape_nodes
from pytest_dbguard.planning.workload import WorkloadStatement
from pytest_dbguard.rules.index_findings import basis_text
from pytest_dbguard.rules.plan_regression import ComparedPlan, PlanRegression
from pytest_dbguard.sql.tokens import tokens

_OF_INDEXES = frozenset({"DBG201", "DBG203", "DBG204", "DBG302", "DBG305"})


@dataclass(frozen=True, slots=True)
class _Planned:
    """The plan of one statement on one schema, and what comparing it takes."""

    statement: WorkloadStatement
    plan: Plan
    entry: PlanEntry
    indexes: frozenset[str]
    basis: str


class PlanGate:
    """Takes assessments one by one, in any order."""

    def __init__(
        self,
        accepted: Plans,
        rule: ActiveRule | None,
        *,
        keeps: bool,
        fit: Callable[[str], str] = lambda text: text,
    ) -> None:
        """Make the gate.

        Args:
            accepted: What the baseline says.
            rule: The rule plan-regression; None when it is left out.
            keeps: Whether the plans are to be written into the baseline.
            fit: Cuts the text of a shape to a readable length.
        """
        self._accepted = accepted
        self._rule = rule
        self._keeps = keeps
        self._fit = fit
        self._planned: dict[PlanKey, list[_Planned]] = {}
        self._made_with: dict[str, PlanBasis] = {}
        self._seen: set[PlanKey] = set()
        self._texts: dict[str, str] = {}

    def take(self, assessment: Assessment) -> None:
        """Take in the plans of one schema; statements without a plan are only noted as there."""
        dialect = assessment.catalog.dialect.value
        basis = _basis_of(assessment)
        if basis is not None:
            # where several schemas were planned differently, the same one is told in every order
            self._made_with[dialect] = min(basis, self._made_with.get(dialect, basis), key=lambda each: each.label)
        indexes = frozenset(index.name for table in assessment.catalog.tables for index in table.indexes)
        for each in assessment.statements:
            key = PlanKey(dialect, each.statement.shape.id)
            self._seen.add(key)
            if each.plan is None or basis is None or not (self._keeps or self._accepted.of(key)):
                continue
            if all(node.access is Access.OTHER for node in each.plan.root.walk()):
                # rows that are inserted, a SELECT without a table: there is no other way to do it
                continue
            entry = _entry(key, each, each.plan, assessment)
            told = _basis_text(assessment, entry)
            self._planned.setdefault(key, []).append(_Planned(each.statement, each.plan, entry, indexes, told))
            if self._keeps:
                self._texts[key.shape] = self._fit(each.statement.shape.text)

    def regressions(self) -> tuple[Finding, ...]:
        """Return what is planned worse than each plan that is accepted for it, one finding a statement."""
        if self._rule is None or not isinstance(self._rule.rule, PlanRegression):
            return ()
        rule, severity = self._rule.rule, self._rule.severity
        found = (self._regression(rule, key, self._planned[key]) for key in sorted(self._planned))
        return tuple(replace(rule.finding(each), severity=severity) for each in found if each is not None)

    def updated(self) -> Plans:
        """Return plans that accept what was planned; shapes that were not seen, or not planned, stay as they are."""
        entries = (planned.entry for several in self._planned.values() for planned in several)
        return self._accepted.updated(entries, self._made_with, self._texts)

    def gone(self) -> frozenset[PlanKey]:
        """Return accepted shapes that the tests did not run; says something only after a run of the whole suite."""
        return self._accepted.gone(self._seen)

    def told(self) -> tuple[str, ...]:
        """Return a line for each kind of database whose accepted plans were made with something else."""
        lines = []
        for dialect, now in sorted(self._made_with.items()):
            accepted = self._accepted.made_with.get(dialect, now)
            is_same_planner = (accepted.version, accepted.sizes) == (now.version, now.sizes)
            if accepted == now or (is_same_planner and dialect == "sqlite"):
                continue
            what = "costs are not compared" if is_same_planner else "only plans that lost their index are reported"
            told = f"the plans in the baseline are of {dialect} {accepted.label}; this run planned with {now.label}"
            lines.append(f"dbguard: {told}: {what}")
        return tuple(lines)

    def _regression(self, rule: PlanRegression, key: PlanKey, several: list[_Planned]) -> ComparedPlan | None:
        """Return the worst of the plans that no accepted one excuses; None where each is accepted."""
        worst: ComparedPlan | None = None
        for planned in several:
            compared = [self._compared(entry, planned) for entry in self._accepted.of(key)]
            if not compared or not all(rule.is_worse(each) for each in compared):
                continue
            # several plans are accepted where schemas differ: the one that is most like this one tells what changed
            nearest = min(compared, key=lambda each: (len(each.changes.worse), len(each.changes.changes)))
            if worst is None or (nearest.now.cost or 0.0) > (worst.now.cost or 0.0):
                worst = nearest
        return worst

    def _compared(self, before: PlanEntry, planned: _Planned) -> ComparedPlan:
        accepted, now = self._accepted.made_with.get(before.key.dialect), self._made_with[before.key.dialect]
        has_same_planner = accepted is not None and (accepted.version, accepted.sizes) == (now.version, now.sizes)
        return ComparedPlan(
            statement=planned.statement,
            plan=planned.plan,
            before=before,
            now=planned.entry,
            changes=compare(before.plan, planned.plan),
            has_same_sizes=accepted == now and _have_same_rows(before, planned.entry),
            has_same_text=before.constants == planned.entry.constants,
            has_same_planner=has_same_planner,
            lost=_lost(before, planned.indexes),
            basis=planned.basis,
        )


def told_once(findings: Iterable[Finding], gate: Iterable[Finding], baseline: Baseline | None) -> list[Finding]:
    """Return findings without new ones about an index that a statement lacks where its plan is told to be worse.

    Both are one fact: the index went. Those that the baseline knows stay, as they were there before.
    """
    worse = {(each.shape.id, each.site) for each in gate if each.rule == PlanRegression.code and each.shape is not None}
    given = tuple(findings)
    judged = given if baseline is None else baseline.apply(given)
    return [
        finding
        for finding, known in zip(given, judged, strict=True)
        if finding.rule not in _OF_INDEXES
        or known.status is Status.KNOWN
        or finding.shape is None
        or (finding.shape.id, finding.site) not in worse
    ]


def _basis_of(assessment: Assessment) -> PlanBasis | None:
    """Return what plans were made with; None without a planner."""
    lab = assessment.lab
    if lab is None:
        return None
    # the planner of PostgreSQL changes with the first number, that of SQLite with the second
    depth = 1 if lab.dialect == "postgresql" else 2
    version = ".".join(lab.version.split(".")[:depth])
    return PlanBasis(version, str(lab.rung), assessment.statistics.source)


def _entry(key: PlanKey, each: AssessedStatement, plan: Plan, assessment: Assessment) -> PlanEntry:
    cost = None if plan.cost is None else round(plan.cost, 2)
    tables = tuple(sorted(_rows(plan, assessment).items()))
    return PlanEntry(key, tables, plan_shape(plan), cost, _constants(each))


def _rows(plan: Plan, assessment: Assessment) -> Mapping[str, int]:
    """Return the rows that the planner believed in, by the names that shapes have."""
    found: dict[str, int] = {}
    for node in plan.root.walk():
        known = assessment.statistics.table(node.table, node.schema) if node.table else None
        if node.table:
            name = node.table if node.schema in ("", "public") else f"{node.schema}.{node.table}"
            found[name] = round(known.rows if known is not None else assessment.statistics.default_rows)
    return found


def _constants(each: AssessedStatement) -> str:
    """Return a short hash of what the planner was asked beyond the shape: literals, lengths of lists, values."""
    found = list(tokens(each.planned_text))
    literals = [token.text for token in found if token.kind in ("string", "number")]
    parameters = sum(token.kind == "parameter" for token in found)
    if not literals and parameters == each.statement.shape.text.count("?"):
        return ""
    return blake2b(repr((literals, parameters)).encode(), digest_size=2).hexdigest()


def _have_same_rows(before: PlanEntry, now: PlanEntry) -> bool:
    """Return whether the planner believed in the same rows of the tables that both plans read."""
    rows = dict(before.tables)
    return all(rows.get(table, number) == number for table, number in now.tables)


def _lost(before: PlanEntry, indexes: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return index and table of what an accepted plan uses and the schema does not have any more."""
    nodes = shape_nodes(before.plan)
    return tuple(dict.fromkeys((node.index, node.table) for node in nodes if node.index and node.index not in indexes))


def _basis_text(assessment: Assessment, entry: PlanEntry) -> str:
    """Return what a finding rests on, told of the largest table: `modelled at 100,000 rows (default)`."""
    table, rows = max(entry.tables, key=lambda each: each[1], default=("", 0))
    schema, _, name = table.rpartition(".")
    return basis_text(assessment, Verdict(helps=False, basis=assessment.basis, rows=rows), name, schema)
