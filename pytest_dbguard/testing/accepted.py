"""The baseline in a run: what it accepts, what the run makes of it, and when it may be written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dbguard.analysis.count_gate import CountGate
from pytest_dbguard.analysis.counts import counts_from_json
from pytest_dbguard.analysis.judge import ActiveRule
from pytest_dbguard.analysis.plan_gate import PlanGate
from pytest_dbguard.analysis.stale import stale_findings
from pytest_dbguard.baseline.counts import TestKey
from pytest_dbguard.baseline.file import line_numbers, read_baseline, write_baseline
from pytest_dbguard.baseline.model import Baseline, Entry
from pytest_dbguard.baseline.plans import PlanKey
from pytest_dbguard.core.errors import DbguardError
from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.core.verdict import BaselineState, Fault
from pytest_dbguard.reports.fitting import fit_query
from pytest_dbguard.reports.wording import counted
from pytest_dbguard.testing.suite import Suite

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config
    from pytest_dbguard.planning.assessment import Assessment

_TEXT_CELLS = 100
_PASSING = frozenset({"DBG107", "DBG503", "DBG601"})
"""Rules whose notes come and go: with how fast the machine is, and with what other tests read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the end of a run made of the baseline.

    Attributes:
        state: For the verdict.
        findings: Of the rules that judge the run against the baseline.
        told: Lines for people.
        faults: Errors of writing.
    """

    state: BaselineState = field(default_factory=BaselineState)
    findings: tuple[Finding, ...] = ()
    told: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


class Accepted:
    """Holds the baseline of a run; writes it only where a flag asks for it."""

    def __init__(self, config: Config, root: Path, rules: Iterable[ActiveRule]) -> None:
        """Read the file.

        Raises:
            BaselineError: When it cannot be read or understood.
        """
        self._config = config
        self._path = config.baseline_path(root)
        self.baseline = read_baseline(self._path) if self._path else None
        active = {each.rule.code: each for each in rules}
        self._stale_rule = active.get("DBG912")
        self._gate = None
        if self.baseline is not None and config.counts:
            self._gate = CountGate(self.baseline.counts, active.get("DBG902"), keeps=config.update_baseline)
        self._plans = None
        if self.baseline is not None and "DBG903" in active:
            fit = partial(fit_query, width=_TEXT_CELLS)
            self._plans = PlanGate(self.baseline.plans, active["DBG903"], keeps=config.update_baseline, fit=fit)

    def describe(self) -> str:
        """Return what findings are compared with, for the header."""
        if self.baseline is None:
            return "without a baseline"
        accepted = len(self.baseline.entries)
        tests = len(self.baseline.counts.tests) if self._config.counts else 0
        if not accepted and not tests:
            return "no baseline yet"
        counts = f", counts of {counted(tests, 'test')}" if tests else ""
        return f"baseline {self._config.baseline} ({accepted} accepted{counts})"

    def take(self, test: str, value: Mapping[str, Any] | None) -> None:
        """Take in what a test counted, as `counts_of` told it."""
        if self._gate is not None and value is not None:
            self._gate.take(test, counts_from_json(value["scopes"]), value["tolerance"])

    def take_plans(self, assessments: Iterable[Assessment]) -> None:
        """Take in how the statements of the run were planned."""
        if self._plans is not None:
            for assessment in assessments:
                self._plans.take(assessment)

    def close(self, findings: Iterable[Finding], finished: Collection[str], suite: Suite) -> Outcome:
        """Judge the run against the baseline, and write what flags ask for.

        Args:
            findings: What is reported of the single tests.
            finished: Node ids of the tests that ran to their end.
            suite: Which tests there are.
        """
        before = self.baseline
        if before is None:
            return Outcome()
        run = _Run.of(findings, finished, suite, before)
        leftovers = self._leftovers(before, run)
        regressions, improvement = self._compared(run)
        told = self._planned_otherwise()
        if self._config.update_baseline:
            self.baseline = self._updated(before, run)
        if self._config.prune_baseline and run.suite is None:
            told += ("dbguard: nothing is pruned, since only some of the tests ran",)
        elif self._config.prune_baseline:
            self.baseline, leftovers = leftovers.dropped_from(self.baseline or before), _Leftovers()
        stale = self._stale(leftovers, run)
        faults = self._write(before)
        return Outcome(self._state(before, leftovers, improvement), (*regressions, *stale), told, faults)

    def _leftovers(self, baseline: Baseline, run: _Run) -> _Leftovers:
        if run.suite is None:
            return _Leftovers()
        gone = baseline.counts.gone(run.there) if self._gate is not None else frozenset()
        plans = self._plans.gone() if self._plans is not None and run.is_whole else frozenset()
        return _Leftovers(baseline.stale(run.findings, run.finished, suite=run.suite), gone, plans)

    def _compared(self, run: _Run) -> tuple[tuple[Finding, ...], tuple[int, int]]:
        """Return regressions, and by how much tests are better; nothing of both where the update takes them in."""
        if self._config.update_baseline:
            return (), (0, 0)
        plans = self._plans.regressions() if self._plans is not None else ()
        if self._gate is None:
            return plans, (0, 0)
        return (*self._gate.regressions(run.finished), *plans), self._gate.improvement(run.finished)

    def _planned_otherwise(self) -> tuple[str, ...]:
        return self._plans.told() if self._plans is not None and not self._config.update_baseline else ()

    def _updated(self, baseline: Baseline, run: _Run) -> Baseline:
        counts = baseline.counts if self._gate is None else self._gate.updated(run.finished)
        plans = baseline.plans if self._plans is None else self._plans.updated()
        weighs = self._config.fail_level is Severity.NOTE
        lasting = [f for f in run.findings if weighs or f.rule not in _PASSING or f.severity is not Severity.NOTE]
        return replace(baseline.updated(lasting, run.finished, suite=run.suite), counts=counts, plans=plans)

    def _stale(self, leftovers: _Leftovers, run: _Run) -> tuple[Finding, ...]:
        if self._path is None or not leftovers.number:
            return ()
        lines, file = line_numbers(self._path), self._config.baseline
        return stale_findings(self._stale_rule, leftovers.entries, leftovers.gone, run.there, file=file, lines=lines)

    def _write(self, before: Baseline) -> tuple[Fault, ...]:
        if self._path is None or self.baseline is None or self.baseline == before:
            return ()
        try:
            write_baseline(self._path, self.baseline)
        except DbguardError as error:
            return (Fault("writing the baseline", str(error)),)
        return ()

    def _state(self, before: Baseline, leftovers: _Leftovers, improvement: tuple[int, int]) -> BaselineState:
        after = self.baseline or before
        tests, statements = improvement
        return BaselineState(
            path=self._config.baseline,
            entries=len(after.entries),
            stale=leftovers.number,
            updated=after != before,
            counted=len(after.counts.tests),
            improved=tests,
            saved=statements,
        )


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run showed, which of its tests ran to their end, and which tests there are, also as files name them."""

    findings: tuple[Finding, ...]
    finished: frozenset[str]
    suite: frozenset[str] | None
    there: frozenset[TestKey]

    @property
    def is_whole(self) -> bool:
        """Whether every test there is ran to its end."""
        return self.suite is not None and self.suite <= self.finished

    @classmethod
    def of(cls, findings: Iterable[Finding], finished: Collection[str], suite: Suite, baseline: Baseline) -> _Run:
        tests = suite.tests()
        there = {TestKey.of(test) for test in tests or ()}
        there |= {key for key in baseline.counts.tests if suite.may_hold(key.test)}
        if tests is not None:
            tests |= {test for entry in baseline.entries for test in entry.tests if suite.may_hold(test)}
        return cls(tuple(findings), frozenset(finished), tests, frozenset(there))


@dataclass(frozen=True, slots=True)
class _Leftovers:
    """What the baseline holds without need: findings that no longer occur, counts of tests that are gone, plans.

    Plans of statements that no test runs any more are dropped with the others, and not told: a change of the code
    changes some every day.
    """

    entries: tuple[Entry, ...] = ()
    gone: frozenset[TestKey] = frozenset()
    plans: frozenset[PlanKey] = frozenset()

    @property
    def number(self) -> int:
        """How many entries that are; a test counts once."""
        return len(self.entries) + len(self.gone)

    def dropped_from(self, baseline: Baseline) -> Baseline:
        """Return the baseline without them."""
        entries = tuple(entry for entry in baseline.entries if entry not in self.entries)
        return Baseline(entries, baseline.counts.without(self.gone), baseline.plans.without(self.plans))


def refuse_silent_update(pytest_config: pytest.Config, environ: Mapping[str, str]) -> None:
    """Raise UsageError where CI would accept everything because of a flag that nobody gave on its command line."""
    if environ.get("CI", "").lower() in ("", "0", "false"):
        return
    for name in ("update", "prune"):
        flag = f"--dbguard-{name}-baseline"
        asked = pytest_config.getoption(f"dbguard_{name}_baseline")
        if asked and flag not in map(str, pytest_config.invocation_params.args):
            raise pytest.UsageError(
                f"dbguard: {flag} comes from addopts, and CI={environ['CI']} is set: every run of CI would rewrite "
                "the baseline and accept whatever it finds\n  give the flag on the command line of the run that is to "
                "write the file, and take it out of addopts (also PYTEST_ADDOPTS)"
            )
