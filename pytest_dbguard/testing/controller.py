"""The end of a run with `--dbguard`: gathers what the tests showed, gives the verdict, prints and writes reports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dbguard.analysis.eager_loads import UseKey, weigh_unused
from pytest_dbguard.analysis.ignore_book import IgnoreBook
from pytest_dbguard.analysis.plan_gate import told_once
from pytest_dbguard.analysis.plans import PlanOutcome
from pytest_dbguard.analysis.pool import FindingPool, fact_id, reading_order
from pytest_dbguard.analysis.silencer import Silencer
from pytest_dbguard.analysis.unused_ignores import RunOfTests, ignore_findings
from pytest_dbguard.analysis.verdict import decide
from pytest_dbguard.core.errors import DbguardError
from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.core.serial import finding_from_json
from pytest_dbguard.core.verdict import Fault, Verdict
from pytest_dbguard.reports.base import ReportContext
from pytest_dbguard.reports.registry import ReportTarget, parse_report
from pytest_dbguard.reports.terminal import short_lines, summary_line
from pytest_dbguard.reports.write import render, write_report
from pytest_dbguard.testing.accepted import Accepted
from pytest_dbguard.testing.measure import Measure
from pytest_dbguard.testing.planning import RunPlanning
from pytest_dbguard.testing.run import DESELECTED, LAST_WORDS, REPORT_ATTRIBUTE, USAGE_ERROR
from pytest_dbguard.testing.suite import Suite

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from pytest_dbguard.config.model import Config


class ControllerPlugin:
    """Runs once a run: in the only process, or in xdist's controller."""

    def __init__(self, config: Config, pytest_config: pytest.Config, silencer: Silencer) -> None:
        rules = silencer.judge.rules
        self.rules = len(rules)
        self._silencer = silencer
        self._config = config
        self._root = pytest_config.rootpath
        self._targets = tuple(parse_report(text) for text in config.report)
        self._accepted = Accepted(config, self._root, rules)
        self._planning = RunPlanning(config, pytest_config, rules)
        self._pool = FindingPool()
        self._read_loads: set[UseKey] = set()
        self._measure = Measure()
        self._faults: set[Fault] = set()
        self._silenced: set[str] = set()
        self._ignores = IgnoreBook()
        self._has_workers = False
        self._ran: set[str] = set()
        self._unfinished: set[str] = set()
        self._failed: set[str] = set()
        self._suite = Suite(pytest_config)
        self._usage_error: str | None = None
        self._verdict: Verdict | None = None
        self._written: list[str] = []
        check_writable(self._targets, self._root)

    def describe(self) -> str:
        """Return what findings are compared with, for the header."""
        return self._accepted.describe()

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a test showed, from this process or a worker."""
        if report.when == "setup":
            # a test that is run again counts as it ended the last time
            self._unfinished.discard(report.nodeid)
            self._failed.discard(report.nodeid)
        if not report.passed:
            self._unfinished.add(report.nodeid)
        if report.failed:
            self._failed.add(report.nodeid)
        text = getattr(report, REPORT_ATTRIBUTE, None)
        if text is None:
            return
        shown = json.loads(text)
        self._ran.add(report.nodeid)
        self._take(shown)
        self._measure.add(Measure.from_json(shown["measure"]))
        self._accepted.take(report.nodeid, shown["counts"])
        self._planning.take(report.nodeid, shown["observed"])
        self._read_loads |= {(subject, file, line) for subject, file, line in shown["read_loads"]}
        self._faults |= {Fault(where, error) for where, error in shown["faults"]}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker of pytest-xdist found wrong before it ran any test."""
        output = getattr(node, "workeroutput", {})
        self._usage_error = output.get(USAGE_ERROR, self._usage_error)
        self._suite.leave_out(output.get(DESELECTED, 0))
        if LAST_WORDS in output:
            self._has_workers = True
            self._take_last_words(json.loads(output[LAST_WORDS]))

    @pytest.hookimpl
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which tests there are."""
        self._suite.add(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        """Note which tests there are, from a worker."""
        self._suite.add(ids)

    @pytest.hookimpl
    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note that this is not the whole suite."""
        self._suite.leave_out(len(items))

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note files that are broken or skipped."""
        self._suite.note_report(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Give the verdict, write reports, and let new findings fail the run."""
        if self._usage_error is not None:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if self._verdict is not None or session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            return
        recording = session.config.pluginmanager.get_plugin("dbguard-recording")
        if recording is not None and not self._has_workers:
            self._take_last_words(recording.last_words())
        self._verdict = self._decide()
        self._save_workload(session)
        self._write_reports(session, self._verdict)
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        failing = self._verdict.failing
        if failing:
            session.shouldfail = summary_line(self._verdict)
            if reporter is not None:
                reporter.stats["new findings" if len(failing) > 1 else "new finding"] = [
                    _as_report(finding) for finding in failing
                ]
            if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._faults:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print the verdict."""
        writer = terminalreporter._tw
        if self._usage_error is not None:
            writer.line(f"ERROR: {self._usage_error}", red=True)
        if self._verdict is None:
            return
        context = ReportContext(self._root, writer.fullwidth, writer.hasmarkup, terminalreporter.verbosity)
        text = render(self._terminal_target(), self._verdict, context).rstrip("\n")
        if "\n" in text:
            terminalreporter.section("dbguard", sep="=")
        writer.line(text)
        for line in self._written:
            writer.line(line)
        if self._verdict.failing and terminalreporter.verbosity >= 0:
            terminalreporter.section("dbguard: new findings", sep="-")
            for line in short_lines(self._verdict):
                writer.line(line)

    def _take_last_words(self, words: dict[str, Any]) -> None:
        self._ignores.add(IgnoreBook.from_json(words["ignores"]))
        for judged in words["late"]:
            self._take(judged)
        self._planning.learn(words["planning"])
        self._faults |= {Fault(where, error) for where, error in words["faults"]}

    def _take(self, judged: dict[str, Any]) -> None:
        self._pool.add(finding_from_json(value) for value in judged["findings"])
        self._silenced |= set(judged["silenced"])
        self._ignores.add(IgnoreBook.from_json(judged["ignores"]))

    def _terminal_target(self) -> ReportTarget:
        shown = [t for t in self._targets if t.destination is None and t.type in ("term", "concise")]
        return shown[-1] if shown else ReportTarget("term", None)

    def _decide(self) -> Verdict:
        fail_on = self._config.fail_on
        run = RunOfTests(self._suite.tests(), self._ran, self._unfinished)
        about_ignores = self._unsilenced(ignore_findings(self._silencer.judge.rules, self._ignores, run))
        # a test that did not run, or broke off, may read what the others leave unread
        is_whole = run.is_full and not self._failed
        rules = self._silencer.judge.rules
        shown = weigh_unused(self._pool.findings(), self._read_loads, rules, is_whole_suite=is_whole)
        plans = self._planned(is_whole=is_whole)
        findings = (*shown, *self._unsilenced(plans.findings), *about_ignores)
        reported = [f for f in findings if not f.in_test_code or self._config.test_code == "report"]
        outcome = self._accepted.close(reported, self._ran - self._unfinished, self._suite)
        self._written += outcome.told
        self._faults |= set(outcome.faults)
        gate = tuple(self._unsilenced(outcome.findings))
        return decide(
            sorted((*told_once(findings, gate, self._accepted.baseline), *gate), key=reading_order),
            baseline=self._accepted.baseline,
            state=outcome.state,
            fail_on=None if fail_on == "never" else Severity(fail_on),
            test_code=self._config.test_code,
            totals=self._measure.totals(),
            faults=self._faults,
            ignored=len(self._silenced - {fact_id(finding) for finding in findings}),
            planning=plans.planning,
        )

    def _planned(self, *, is_whole: bool) -> PlanOutcome:
        """Judge the statements of the run by their plans, and take in what silences findings about them."""
        outcome = self._planning.judge(self._ran, is_whole=is_whole)
        self._silenced |= outcome.silenced
        self._ignores.used |= outcome.used
        self._faults |= set(outcome.faults)
        self._accepted.take_plans(outcome.assessments)
        return outcome

    def _unsilenced(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield the findings of rules that judge the whole run which nothing silences."""
        written = self._ignores.written.items()
        for finding in findings:
            marks = tuple(ignore for ignore, tests in written if not tests.isdisjoint(finding.tests))
            ignores = self._silencer.silencing(finding, marks)
            if not ignores:
                yield finding
                continue
            self._silenced.add(fact_id(finding))
            self._ignores.used |= set(ignores)

    def _save_workload(self, session: pytest.Session) -> None:
        try:
            self._written += self._planning.save(self._ran)
        except DbguardError as error:
            self._written.append(f"dbguard: {error}")
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def _write_reports(self, session: pytest.Session, verdict: Verdict) -> None:
        context = ReportContext(self._root, 100, False, 0)
        for target in self._targets:
            if target == self._terminal_target():
                continue
            try:
                line = write_report(target, verdict, context)
            except DbguardError as error:
                # the verdict is still printed; what could be known was checked before the tests ran
                line = f"dbguard: {error}"
                session.exitstatus = pytest.ExitCode.USAGE_ERROR
            if line:
                self._written.append(line)


def _as_report(finding: Finding) -> SimpleNamespace:
    """Return what stands for a finding among pytest's reports, for the counts in its last line.

    Other plugins walk over these as if all were test reports, so it has what a test report has.
    """
    return SimpleNamespace(
        nodeid=finding.tests[0] if finding.tests else "",
        when="dbguard",
        outcome="failed",
        longrepr="",
        duration=0.0,
        keywords={},
        sections=[],
        user_properties=[],
    )


def check_writable(targets: tuple[ReportTarget, ...], root: Path) -> None:
    """Raise UsageError before any test runs when a report cannot be written; makes its directory."""
    for target in targets:
        if target.destination is None:
            continue
        directory = (root / target.destination).parent
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=directory):
                pass
        except OSError as error:
            raise pytest.UsageError(
                f"dbguard: --dbguard-report {target.type}:{target.destination}: "
                f"directory {str(directory)!r} cannot be written: {error.strerror}\n"
                "  choose another place, or leave the report out"
            ) from None
