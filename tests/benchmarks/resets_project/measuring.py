"""A pytest plugin that writes to BENCH_RESULT how long each phase of each test took and what the test saw."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

CLOCK = pytest.StashKey["Clock"]()
_SEEN: dict[str, bool] = {}


def note(**facts: bool) -> None:
    """Keep what the running test saw of its database."""
    _SEEN.update(facts)


class Clock:
    """Times the phases of every test from outside of all other plugins, and the fixtures of a whole session."""

    def __init__(self) -> None:
        self.tests: list[dict[str, Any]] = []
        self.fixtures: dict[str, float] = {}
        self.first_call: float | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        _SEEN.clear()
        self.tests.append({"series": item.name.partition("[")[0]})
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Any:
        started = time.perf_counter()
        try:
            return (yield)
        finally:
            self._keep("setup", started)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Any:
        if self.first_call is None:
            self.first_call = time.monotonic()
        started = time.perf_counter()
        try:
            return (yield)
        finally:
            self._keep("call", started)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, nextitem: pytest.Item | None) -> Any:
        started = time.perf_counter()
        try:
            return (yield)
        finally:
            self._keep("teardown", started)
            # the last test also ends what the session shares, which is not its own
            self.tests[-1] |= {"is_last": nextitem is None, **_SEEN}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Any:
        started = time.perf_counter()
        try:
            return (yield)
        finally:
            if fixturedef.scope == "session":
                self.fixtures[fixturedef.argname] = 1000 * (time.perf_counter() - started)

    def _keep(self, phase: str, started: float) -> None:
        self.tests[-1][phase] = 1000 * (time.perf_counter() - started)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    # of several wrappers that want to be first the one registered last is outermost
    session.config.stash[CLOCK] = clock = Clock()
    session.config.pluginmanager.register(clock)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    clock = config.stash.get(CLOCK, None)
    if clock is None or not clock.tests:
        return
    directory = Path(os.environ["BENCH_RESULT"])
    result = {"tests": clock.tests, "fixtures": clock.fixtures, "first_call": clock.first_call}
    (directory / f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}.json").write_text(json.dumps(result))
