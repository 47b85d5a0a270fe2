"""The same without pytest: record a stretch of any program, judge it, print what was found."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_dbguard.analysis.judge import Judge, active_rules
from pytest_dbguard.analysis.observations import observations
from pytest_dbguard.analysis.observed import Observed, process_knowledge
from pytest_dbguard.analysis.plan_sources import PlanSources
from pytest_dbguard.analysis.plans import PlanJudge, PlanOutcome
from pytest_dbguard.analysis.pool import FindingPool, fact_id
from pytest_dbguard.analysis.schema_watch import SchemaReader
from pytest_dbguard.analysis.setting_ignores import subject_ignores
from pytest_dbguard.analysis.silencer import Silencer
from pytest_dbguard.analysis.verdict import decide
from pytest_dbguard.config.model import LabMode
from pytest_dbguard.core.findings import Severity
from pytest_dbguard.core.verdict import BaselineState, RunTotals, Verdict
from pytest_dbguard.recording.current import CURRENT
from pytest_dbguard.recording.listeners import Listeners
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope


class OpenRecording:
    """What `record()` gives: grows while its block runs, and can be judged with `check` at any time."""

    def __init__(self, scope: Scope, root: Path, recorder: Recorder) -> None:
        self._scope = scope
        self._recorder = recorder
        self.root = root

    @property
    def queries(self) -> tuple[Statement, ...]:
        """The statements so far, at most 10 000."""
        return tuple(statement for recording in self.recordings for statement in recording.statements)

    @property
    def count(self) -> int:
        """Number of statements so far, kept or not."""
        return self._scope.recording().total_count

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """The recording, and those of the web requests in it."""
        return self._scope.recordings()

    @property
    def observed(self) -> Observed:
        """What ran on which schema, for the rules about plans."""
        observed = Observed()
        observed.take(self._scope.name, observations(self.recordings))
        if isinstance(self._recorder.schemas, SchemaReader):
            observed.learn(*process_knowledge(self._recorder.schemas, self._recorder.exemplars))
        return observed


@contextmanager
def record(
    name: str = "recording", *, root: Path | str | None = None, max_queries: int | None = None
) -> Iterator[OpenRecording]:
    """Record every statement of every engine while the block runs, in all threads.

    Args:
        name: What the findings say they were seen in.
        root: Directory of the application; what lies below it counts as its code. The working directory by default.
        max_queries: A budget: more statements than this are a finding.

    Inside of a test that dbguard records, the block is a scope of its own in that test's recording; threads that do
    not carry the block's context are then recorded as the test's.
    """
    directory = Path.cwd() if root is None else Path(root)
    scope = Scope(name, "block", max_queries)
    caller = sys._getframe(2).f_code
    current = CURRENT.get()
    if current is not None:
        with current.nested(scope):
            yield OpenRecording(scope, directory, current)
        return
    recorder = Recorder(Ownership(directory), schemas=SchemaReader())
    listeners = Listeners(recorder)
    listeners.attach()
    recorder.open(scope, caller)
    try:
        yield OpenRecording(scope, directory, recorder)
    finally:
        recorder.close()
        listeners.detach()


def check(
    recording: OpenRecording,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    fail_on: Severity | str = Severity.WARNING,
    scale: Mapping[str, Any] | None = None,
    statistics: str | None = None,
    lab: LabMode = "auto",
) -> Verdict:
    """Judge a recording by the rules and return the verdict.

    Args:
        recording: What `record()` gave.
        select: Codes, prefixes or names of the rules to run; all by default.
        ignore: Codes, prefixes or names of the rules not to run; `RULE:SUBJECT` leaves out one subject.
        fail_on: The severity from which `verdict.passed` is false.
        scale: Rows of production's tables, as in `[tool.dbguard.scale]`, for the rules about plans.
        statistics: File of production's planner statistics, relative to the recording's root.
        lab: Where plans are made, as in the setting `lab`.

    Raises:
        ConfigError: For an unknown rule, a wrong scale, or a file of statistics that cannot be used.
    """
    words = tuple(ignore)
    rules = active_rules(select=tuple(select), ignore=words)
    judge = Judge(rules)
    silencer = Silencer(judge, recording.root, subject_ignores(words))
    judged = silencer.judged(recording.recordings)
    sources = PlanSources(recording.root, statistics, scale or {}, lab)
    plan_judge = PlanJudge(rules, sources)
    plans = plan_judge.judge(recording.observed) if plan_judge.is_needed else PlanOutcome()
    pool = FindingPool()
    pool.add(judged.findings)
    ignored = {fact_id(finding) for finding in plans.findings if silencer.silencing(finding)}
    pool.add(finding for finding in plans.findings if fact_id(finding) not in ignored)
    statements = sum(each.count for each in recording.recordings)
    shapes = {statement.text.shape.id for statement in recording.queries}
    return decide(
        pool.findings(),
        baseline=None,
        state=BaselineState(),
        fail_on=Severity(fail_on),
        test_code="report",
        totals=RunTotals(1, statements, len(shapes), sum(each.elapsed_ms for each in recording.recordings)),
        faults=(*judge.faults, *plans.faults),
        ignored=len(judged.silenced | plans.silenced | ignored),
        planning=plans.planning,
    )


def report(verdict: Verdict, *, kind: str = "term", root: Path | str | None = None, width: int = 80) -> str:
    """Return a verdict as text: "term", "concise" or "json"."""
    from pytest_dbguard.reports.base import ReportContext
    from pytest_dbguard.reports.registry import parse_report
    from pytest_dbguard.reports.write import render

    directory = Path.cwd() if root is None else Path(root)
    return render(parse_report(kind), verdict, ReportContext(directory, width, False, 0))
