"""The plugin object of a run with `--dbguard`: records, judges each test, and gives the verdict at the end.

What a test shows travels on its last report, which pytest-xdist carries to the controller like any other: one path
for one process and for many.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from pytest_dbguard.analysis.counts import count_scopes, counts_to_json
from pytest_dbguard.analysis.eager_loads import read_loads
from pytest_dbguard.analysis.ignore_book import IgnoreBook
from pytest_dbguard.analysis.pool import fact_id
from pytest_dbguard.analysis.silencer import Judged, Silencer
from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.core.findings import Finding
from pytest_dbguard.core.ignores import Ignore
from pytest_dbguard.core.serial import finding_to_json
from pytest_dbguard.core.verdict import Fault
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope
from pytest_dbguard.reports.fitting import fit_query
from pytest_dbguard.reports.queries import render_queries
from pytest_dbguard.rules.unused_ignore import UnusedIgnore
from pytest_dbguard.testing.guard import query_groups
from pytest_dbguard.testing.marker import TestSettings, settings_of
from pytest_dbguard.testing.measure import Measure
from pytest_dbguard.testing.missing_greenlet import TITLE, explain, finding_of
from pytest_dbguard.testing.planning import observed_in, process_words
from pytest_dbguard.testing.scoping import PhaseRecorder, is_hypothesis_test, test_site
from pytest_dbguard.testing.sightings import sightings

SCOPES = pytest.StashKey[dict[str, Scope]]()
_SETTINGS = pytest.StashKey[TestSettings]()
_PASSED = pytest.StashKey[bool]()
_RAN = pytest.StashKey[bool]()
_SHOWN = pytest.StashKey[frozenset[str]]()
REPORT_ATTRIBUTE = "dbguard"
USAGE_ERROR = "dbguard_usage_error"
DESELECTED = "dbguard_deselected"
LAST_WORDS = "dbguard_last_words"
_TEXT_CELLS = 100


class RecordingPlugin:
    """Runs in every process that runs tests."""

    def __init__(self, phases: PhaseRecorder, silencer: Silencer, config: Any, pytest_config: pytest.Config) -> None:
        self._phases = phases
        self._silencer = silencer
        self._config = config
        self._worker_output: dict[str, Any] | None = getattr(pytest_config, "workeroutput", None)
        self._deselected = 0
        self._marks: set[Ignore] = set()
        self._told_faults: set[Fault] = set()
        self._apart: list[Judged] | None = None
        self._late: list[Judged] = []

    @pytest.hookimpl
    def pytest_sessionstart(self) -> None:
        """Start to listen."""
        self._phases.attach()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Check the markers of all tests before the first one runs."""
        try:
            for item in items:
                item.stash[_SETTINGS] = settings = settings_of(item)
                self._marks.update(settings.ignore)
        except ConfigError as error:
            if self._worker_output is None:
                raise pytest.UsageError(f"dbguard: {error}") from None
            # a worker that raises here is taken for one that crashed: it runs nothing and tells the controller why
            self._worker_output[USAGE_ERROR] = f"dbguard: {error}"
            items.clear()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Record the fixtures of a test."""
        item.stash[SCOPES] = {}
        with self._phases.phase(self._scope(item, "setup"), item):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Record the test itself. Its scope is there since setup, for the fixture `dbguard`."""
        with self._phases.phase(self.call_scope(item), item):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Record the end of the fixtures of a test."""
        with self._phases.phase(self._scope(item, "teardown"), item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Record fixtures that tests share apart from the test that happens to need them first."""
        with self._phases.fixture(fixturedef):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put what the test showed on its last report."""
        report = yield
        if call.when == "call" and report.failed and self._config.show_queries:
            statements = [s for r in self.call_scope(item).recordings() for s in r.statements]
            report.sections.append(("dbguard queries", render_queries(query_groups(tuple(statements)), width=100)))
        if call.excinfo is not None and report.failed:
            told = explain(call.excinfo.value, self._phases.recorder.latest_load, self._phases.ownership)
            if told is not None:
                report.sections.append((TITLE, told))
        if call.when == "call":
            item.stash[_PASSED] = report.passed
        if call.when == "teardown" and self._apart is not None:
            self._apart.append(self._judge(item, _recordings(item)))
            item.stash[SCOPES] = {}
        elif call.when == "teardown":
            setattr(report, REPORT_ATTRIBUTE, json.dumps(self._judged(item)))
        return report

    @pytest.hookimpl
    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Count tests that are left out: the controller must know that it does not see the whole suite."""
        self._deselected += len(items)

    @pytest.hookimpl
    def pytest_sessionfinish(self) -> None:
        """Remove every listener."""
        self._phases.detach()
        if self._worker_output is not None:
            self._worker_output[DESELECTED] = self._deselected
            self._worker_output[LAST_WORDS] = json.dumps(self.last_words())

    def last_words(self) -> dict[str, Any]:
        """Return as JSON what this process knows when its tests are over: its ignores, late findings and faults."""
        book = IgnoreBook()
        try:
            if any(isinstance(each.rule, UnusedIgnore) for each in self._silencer.judge.rules):
                book = sightings(self._silencer, self._phases.ownership, self._marks)
        except Exception as error:  # noqa: BLE001  modules and models of others may do anything when looked at
            self._phases.recorder.fault("looking for ignores", error)
        late = [_judged_to_json(judged) for judged in self._late]
        planning = process_words(self._phases.schemas, self._phases.recorder.exemplars)
        return {"ignores": book.to_json(), "late": late, "planning": planning, "faults": self._new_faults()}

    @property
    def recorder(self) -> Recorder:
        """What records the tests of this process."""
        return self._phases.recorder

    def settings(self, item: pytest.Item) -> TestSettings:
        """Return what a test's markers say."""
        return item.stash.get(_SETTINGS, TestSettings())

    def passed_with_statements(self, item: pytest.Item) -> bool:
        """Whether a test passed that sent statements and is judged."""
        return item.stash.get(_PASSED, False) and item.stash.get(_RAN, False) and not self.settings(item).is_off

    def shown_by(self, item: pytest.Item) -> frozenset[str]:
        """Return the ids of the facts that a test showed."""
        return item.stash.get(_SHOWN, frozenset())

    @contextmanager
    def apart(self) -> Iterator[list[Judged]]:
        """Keep what tests show while the block runs apart from their reports."""
        self._apart = []
        try:
            yield self._apart
        finally:
            self._apart = None

    def cannot_wait(self, item: pytest.Item, error: BaseException) -> list[Finding]:
        """Return the load that asynchronous code cannot wait for, when that is what a test ended with."""
        finding = finding_of(error, self._phases.recorder.latest_load, self._phases.ownership, item.nodeid)
        if finding is None or self._silencer.silencing(finding, self.settings(item).ignore):
            return []
        return [finding]

    def add_late(self, judged: Judged) -> None:
        """Take in what was shown after the report of its test; it is told with the last words."""
        self._late.append(judged)

    def call_scope(self, item: pytest.Item) -> Scope:
        """Return the scope of a test's call phase."""
        scopes = item.stash.setdefault(SCOPES, {})
        return scopes["call"] if "call" in scopes else self._scope(item, "call")

    def _scope(self, item: pytest.Item, phase: str) -> Scope:
        settings = item.stash.get(_SETTINGS, TestSettings())
        budget = None
        if phase == "call":
            budget = self._config.max_queries if settings.max_queries is None else settings.max_queries
        site = test_site(item, self._phases.ownership) if budget is not None else None
        scope = item.stash.setdefault(SCOPES, {})[phase] = Scope(item.nodeid, phase, budget, site)
        return scope

    def _judged(self, item: pytest.Item) -> dict[str, Any]:
        settings = self.settings(item)
        scopes = item.stash.get(SCOPES, {})
        recordings = _recordings(item)
        shown = self._judge(item, recordings)
        item.stash[_SHOWN] = frozenset(map(fact_id, shown.findings))
        item.stash[_RAN] = any(recording.count for recording in recordings)
        measure = Measure.of(scopes["call"].recordings()) if "call" in scopes else Measure()
        counts = self._counts(item, settings)
        item.stash[SCOPES] = {}
        return {
            **_judged_to_json(shown),
            "counts": counts,
            "observed": self._observed(recordings, settings),
            "read_loads": sorted(read_loads(recordings)),
            "measure": measure.to_json(),
            "faults": self._new_faults(),
        }

    def _judge(self, item: pytest.Item, recordings: list[Recording]) -> Judged:
        settings = self.settings(item)
        marks, is_off = settings.ignore, settings.is_off
        return self._silencer.judged(recordings, test=item.nodeid, marks=marks, is_off=is_off)

    def _counts(self, item: pytest.Item, settings: TestSettings) -> dict[str, Any] | None:
        """Return what the test counted; None where that is not compared with the baseline."""
        scope = item.stash.get(SCOPES, {}).get("call")
        if scope is None or settings.is_off or not self._config.counts or is_hypothesis_test(item):
            return None
        return {
            "scopes": counts_to_json(count_scopes(scope, partial(fit_query, width=_TEXT_CELLS))),
            "tolerance": settings.query_tolerance,
        }

    def _observed(self, recordings: list[Recording], settings: TestSettings) -> list[Any]:
        """Return what is to be planned of a test: nothing where no rule asks for it, or the test is not judged."""
        return [] if settings.is_off or self._phases.schemas is None else observed_in(recordings)

    def _new_faults(self) -> list[tuple[str, str]]:
        faults = (*self._phases.recorder.faults, *self._silencer.judge.faults)
        new = [fault for fault in dict.fromkeys(faults) if fault not in self._told_faults]
        self._told_faults.update(new)
        return [(fault.where, fault.error) for fault in new]


def _recordings(item: pytest.Item) -> list[Recording]:
    scopes = item.stash.get(SCOPES, {})
    return [recording for scope in scopes.values() for recording in scope.recordings()]


def _judged_to_json(judged: Judged) -> dict[str, Any]:
    return {
        "findings": [finding_to_json(finding) for finding in judged.findings],
        "silenced": sorted(judged.silenced),
        "ignores": judged.book.to_json(),
    }
