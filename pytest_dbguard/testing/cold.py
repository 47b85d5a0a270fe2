"""Runs tests a second time with cold sessions, to show the loads that data of the test's own session hides."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import pytest

from pytest_dbguard.analysis.pool import fact_id
from pytest_dbguard.analysis.silencer import Judged
from pytest_dbguard.core.findings import Finding
from pytest_dbguard.recording.cold import ColdSessions
from pytest_dbguard.testing.run import RecordingPlugin
from pytest_dbguard.testing.scoping import is_hypothesis_test

LABEL = "shown with a cold session"
_RULES = frozenset({"DBG101", "DBG103", "DBG106", "DBG108"})
"""What hidden loads show as; whatever else a test without its objects does means nothing."""

_HEARD = ("pytest_runtest_logreport", "pytest_exception_interact")


class ColdPlugin:
    """Repeats tests that passed and sent statements; nobody sees the second outcome, only what it shows of loads."""

    def __init__(self, recording: RecordingPlugin, *, is_default: bool) -> None:
        """`is_default` says whether all tests are run again that do not say otherwise."""
        self._recording = recording
        self._is_default = is_default

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Run a test again when it is over."""
        result = yield
        if self._is_wanted(item):
            self._run_again(item, nextitem)
        return result

    def _is_wanted(self, item: pytest.Item) -> bool:
        wanted = self._recording.settings(item).cold
        is_wanted = self._is_default if wanted is None else wanted
        return is_wanted and self._recording.passed_with_statements(item) and not is_hypothesis_test(item)

    def _run_again(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        known = self._recording.shown_by(item)
        sessions = ColdSessions(self._recording.recorder)
        failed: list[Finding] = []
        with self._recording.apart() as late, sessions.attached(), _unheard(item.config):
            _run_quietly(item, nextitem, lambda error: failed.extend(self._recording.cannot_wait(item, error)))
        for judged in late:
            shown = replace(judged, findings=[*judged.findings, *failed])
            self._recording.add_late(_hidden(shown, known) if sessions.detached else Judged())


def _run_quietly(item: pytest.Item, nextitem: pytest.Item | None, failed: Callable[[BaseException], None]) -> None:
    """Run a test as pytest's own protocol does, but no failure opens a debugger, and only the user ends the run.

    `failed` takes what the test itself raises.
    """
    made: Any = item
    has_request = hasattr(made, "_request")
    if has_request and not made._request:
        made._initrequest()
    try:
        if _error_of(item, "setup") is None:
            error = _error_of(item, "call")
            if error is not None:
                failed(error)
        _error_of(item, "teardown", nextitem=nextitem)
    finally:
        if has_request:
            made._request = False
            made.funcargs = None


def _error_of(item: pytest.Item, when: Literal["setup", "call", "teardown"], **arguments: Any) -> BaseException | None:
    """Run a phase and return what it raises; None where it passes."""
    hook = getattr(item.ihook, f"pytest_runtest_{when}")
    call = pytest.CallInfo.from_call(lambda: hook(item=item, **arguments), when=when, reraise=KeyboardInterrupt)
    # fixtures may look at what this hook leaves on the item
    item.ihook.pytest_runtest_makereport(item=item, call=call)
    return call.excinfo.value if call.excinfo is not None else None


@contextmanager
def _unheard(config: pytest.Config) -> Iterator[None]:
    """Let nobody hear of reports and failures while the block runs: subtests tell theirs while the test runs."""
    hooks: Any = config.hook
    heard = {name: getattr(hooks, name) for name in _HEARD}
    plugins = config.pluginmanager.get_plugins()
    for name in heard:
        setattr(hooks, name, config.pluginmanager.subset_hook_caller(name, plugins))
    try:
        yield
    finally:
        for name, caller in heard.items():
            setattr(hooks, name, caller)


def _hidden(judged: Judged, known: frozenset[str]) -> Judged:
    """Return what only the cold run shows, with the label."""
    new = [finding for finding in judged.findings if finding.rule in _RULES and fact_id(finding) not in known]
    labelled = [replace(finding, evidence=(LABEL, *finding.evidence)) for finding in new if not finding.in_test_code]
    return replace(judged, findings=labelled)
