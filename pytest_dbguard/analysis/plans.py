"""Judges the statements of a whole run by their plans: workloads, statistics and labs in, findings out."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_dbguard.analysis.call_sites import CallSites
from pytest_dbguard.analysis.judge import ActiveRule, weight
from pytest_dbguard.analysis.observed import Observed, Place
from pytest_dbguard.analysis.plan_sources import PlanSources
from pytest_dbguard.analysis.pool import FindingPool, fact_id
from pytest_dbguard.core.errors import DbguardError
from pytest_dbguard.core.findings import Finding
from pytest_dbguard.core.ignores import Ignore
from pytest_dbguard.core.verdict import Fault, Planning
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.planning.lab.registry import LabChoice
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import Workload
from pytest_dbguard.rules.base import Rule
from pytest_dbguard.schema.catalog import Catalog, Dialect

MAX_POSTGRES_LABS = 4
"""Schemas that get a lab on a server; each costs some tenths of a second. The others are judged without a planner."""
DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """What plans showed.

    Attributes:
        findings: Each fact once, weighed.
        assessments: One for each schema, for the comparison with the baseline.
        planning: What people are told of it; None where nothing was judged.
        silenced: Ids of the facts that ignores in the code of tests or in SQL silence.
        used: These ignores.
        faults: Errors of rules and labs.
    """

    findings: tuple[Finding, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    planning: Planning | None = None
    silenced: frozenset[str] = frozenset()
    used: frozenset[Ignore] = frozenset()
    faults: tuple[Fault, ...] = ()


def judges_plans(rule: Rule | type[Rule]) -> bool:
    """Return whether a rule is about plans and indexes."""
    return callable(getattr(rule, "judge", None))


class PlanJudge:
    """Judges what was observed. Faults of rules are kept, not raised."""

    def __init__(
        self,
        rules: Iterable[ActiveRule],
        sources: PlanSources,
        *,
        deadline_s: float = DEADLINE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the judge.

        Args:
            rules: The active rules; those that are not about plans are passed over.
            sources: Gives statistics and a lab for a schema.
            deadline_s: Seconds for all schemas together; what is not planned then is told.
            clock: Gives seconds.
        """
        self._rules = tuple(each for each in rules if judges_plans(each.rule))
        self._sources = sources
        self._deadline_s = deadline_s
        self._clock = clock

    @property
    def is_needed(self) -> bool:
        """Whether any rule is about plans."""
        return bool(self._rules)

    def judge(self, observed: Observed, tests: Iterable[str] | None = None, *, is_whole: bool = True) -> PlanOutcome:
        """Return what the statements of these tests show; of all where none are named.

        Rules about what no test does say nothing where `is_whole` is false: a test that did not run may do it.
        """
        began = self._clock()
        rules = (each for each in self._rules if is_whole or not getattr(each.rule, "needs_whole_run", False))
        run = _Judgement(tuple(rules), observed.ignores())
        try:
            self._take_all(run, observed, tests, began)
        finally:
            self._sources.close()
        return run.outcome((self._clock() - began) * 1000)

    def _take_all(self, run: _Judgement, observed: Observed, tests: Iterable[str] | None, began: float) -> None:
        labs = 0
        call_sites = CallSites(self._sources.root)
        for workload in observed.workloads(None if tests is None else frozenset(tests)):
            run.skip(workload.skipped)
            catalog = observed.catalogs.get(workload.schema_id)
            if catalog is None or not workload.statements:
                continue
            labs += catalog.dialect is Dialect.POSTGRESQL
            has_lab = catalog.dialect is not Dialect.POSTGRESQL or labs <= MAX_POSTGRES_LABS
            left = self._deadline_s - (self._clock() - began)
            try:
                called = call_sites.of(workload)
                run.take(called, self._assessed(called, catalog, has_lab=has_lab, left_s=max(left, 0.0)))
            except DbguardError as error:
                run.faults.append(Fault("planning", error.message))
            except Exception as error:  # noqa: BLE001  whatever planning does, the results of tests must be told
                run.faults.append(Fault("planning", where_it_broke(error)))

    def _assessed(self, workload: Workload, catalog: Catalog, *, has_lab: bool, left_s: float) -> Assessment:
        from pytest_dbguard.planning.assess import assess

        statistics, drift = self._sources.statistics_for(catalog), self._sources.drift_from(catalog)
        if not has_lab:
            choice = LabChoice(None, f"only the {MAX_POSTGRES_LABS} schemas with most statements get a lab")
        else:
            choice = self._sources.open_lab(catalog, statistics)
        try:
            return assess(
                workload,
                catalog,
                statistics,
                choice.lab,
                no_lab="" if choice.lab is not None else choice.reason,
                drift=drift,
                deadline_s=left_s,
                clock=self._clock,
            )
        finally:
            if choice.lab is not None:
                with suppress(DbguardError):
                    choice.lab.close()


class _Judgement:
    """What is found while one schema after the other is judged."""

    def __init__(self, rules: tuple[ActiveRule, ...], ignores: Mapping[Place, Mapping[str, frozenset[Ignore]]]) -> None:
        self._rules = rules
        self._ignores = ignores
        self._pool = FindingPool()
        self._assessments: list[Assessment] = []
        self._skipped: Counter[str] = Counter()
        self._silenced: set[str] = set()
        self._used: set[Ignore] = set()
        self.faults: list[Fault] = []

    def skip(self, reasons: Mapping[str, int]) -> None:
        """Count shapes about which nothing is said."""
        self._skipped.update(reasons)

    def take(self, workload: Workload, assessment: Assessment) -> None:
        """Judge one schema."""
        self._assessments.append(assessment)
        self.skip(assessment.not_analysed)
        for active in self._rules:
            try:
                found = list(active.rule.judge(assessment))  # type: ignore[attr-defined]
            except Exception as error:  # noqa: BLE001  a broken rule must not cost a test result
                fault = Fault(f"rule {active.rule.code}", where_it_broke(error))
                if fault not in self.faults:
                    self.faults.append(fault)
                continue
            weighed = (replace(finding, severity=weight(finding, active)) for finding in found)
            self._pool.add(self._unsilenced(weighed, workload.schema_id))

    def outcome(self, elapsed_ms: float) -> PlanOutcome:
        """Return all that was found."""
        findings = self._pool.findings()
        first = self._assessments[0].drift if self._assessments else ()
        labs = dict.fromkeys(line for each in self._assessments if (line := lab_line(each)))
        # of several schemas one may lack what the others have
        told = [line for line in first if all(line in each.drift for each in self._assessments)]
        planning = Planning(tuple(labs), tuple(sorted(self._skipped.items())), tuple(told), elapsed_ms)
        silenced = frozenset(self._silenced - {fact_id(finding) for finding in findings})
        return PlanOutcome(
            findings, tuple(self._assessments), planning, silenced, frozenset(self._used), tuple(self.faults)
        )

    def _unsilenced(self, findings: Iterable[Finding], schema: str) -> Iterator[Finding]:
        """Yield findings with the tests in which nothing around their statements silences them."""
        for finding in findings:
            if finding.shape is None or not finding.tests:
                yield finding
                continue
            by_test = self._ignores.get((schema, finding.shape.id, finding.site), {})
            left = []
            for test in finding.tests:
                used = {ignore for ignore in by_test.get(test, ()) if ignore.word.names(finding)}
                self._used |= used
                if not used:
                    left.append(test)
            if left:
                yield replace(finding, tests=tuple(left))
            else:
                self._silenced.add(fact_id(finding))


def lab_line(assessment: Assessment) -> str:
    """Return how the statements of a schema were planned: `41 shapes planned at 100,000 rows a table (default): ...`.

    "" where nothing is to be told.
    """
    planned = sum(each.plan is not None for each in assessment.statements)
    if assessment.lab is None:
        return f"no statement was planned: {assessment.no_lab}" if assessment.no_lab else ""
    shapes = "1 shape" if planned == 1 else f"{planned:,} shapes"
    return f"{shapes} planned at {_sizes(assessment.statistics)}: {assessment.lab.reason}"


def _sizes(statistics: Statistics) -> str:
    if statistics.origin == "default":
        return f"{statistics.default_rows:,.0f} rows a table (default)"
    return f"the sizes of {statistics.source}"


def where_it_broke(error: Exception) -> str:
    """Return the kind of an error and the line that raised it: `KeyError at what_if.py:80`.

    Not its words: what reads statements quotes them, and the values in them.
    """
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return f"{type(error).__name__} at {Path(frame.f_code.co_filename).name}:{line}"
