"""The same without pytest: record a stretch of any program, judge it, print what was found."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_dbguard.analysis.judge import Judge, active_rules
from pytest_dbguard.analysis.pool import FindingPool
from pytest_dbguard.analysis.setting_ignores import subject_ignores
from pytest_dbguard.analysis.silencer import Silencer
from pytest_dbguard.analysis.verdict import decide
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

    def __init__(self, scope: Scope, root: Path) -> None:
        self._scope = scope
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
            yield OpenRecording(scope, directory)
        return
    recorder = Recorder(Ownership(directory))
    listeners = Listeners(recorder)
    listeners.attach()
    recorder.open(scope, caller)
    try:
        yield OpenRecording(scope, directory)
    finally:
        recorder.close()
        listeners.detach()


def check(
    recording: OpenRecording,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    fail_on: Severity | str = Severity.WARNING,
) -> Verdict:
    """Judge a recording by the rules and return the verdict.

    Args:
        recording: What `record()` gave.
        select: Codes, prefixes or names of the rules to run; all by default.
        ignore: Codes, prefixes or names of the rules not to run; `RULE:SUBJECT` leaves out one subject.
        fail_on: The severity from which `verdict.passed` is false.

    Raises:
        ConfigError: For an unknown rule.
    """
    words = tuple(ignore)
    judge = Judge(active_rules(select=tuple(select), ignore=words))
    judged = Silencer(judge, recording.root, subject_ignores(words)).judged(recording.recordings)
    pool = FindingPool()
    pool.add(judged.findings)
    statements = sum(each.count for each in recording.recordings)
    shapes = {statement.text.shape.id for statement in recording.queries}
    return decide(
        pool.findings(),
        baseline=None,
        state=BaselineState(),
        fail_on=Severity(fail_on),
        test_code="report",
        totals=RunTotals(1, statements, len(shapes), sum(each.elapsed_ms for each in recording.recordings)),
        faults=judge.faults,
        ignored=len(judged.silenced),
    )


def report(verdict: Verdict, *, kind: str = "term", root: Path | str | None = None, width: int = 80) -> str:
    """Return a verdict as text: "term", "concise" or "json"."""
    from pytest_dbguard.reports.base import ReportContext
    from pytest_dbguard.reports.registry import parse_report
    from pytest_dbguard.reports.write import render

    directory = Path.cwd() if root is None else Path(root)
    return render(parse_report(kind), verdict, ReportContext(directory, width, False, 0))
