"""The order of starts and stops, and what is left when one of them fails."""

from __future__ import annotations

import asyncio
import logging

import pytest

from pytest_dbguard.runtime.errors import NotStarted
from pytest_dbguard.runtime.lifecycle import Change
from pytest_dbguard.runtime.parts import Parts


class HandClock:
    """A clock that only tests move."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def wall(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Note:
    """A part that notes what is done to it, and fails where it is told to."""

    def __init__(self, name, journal, clock, *, start=None, stop=None, takes_s=0.0):
        self.name = name
        self._journal, self._clock, self._takes_s = journal, clock, takes_s
        self._errors = {"start": start, "stop": stop}

    def start(self):
        self._do("start")

    def stop(self, deadline_s):
        self._do("stop", deadline_s)

    async def start_async(self):
        await asyncio.sleep(0)
        self._do("start")

    async def stop_async(self, deadline_s):
        await asyncio.sleep(0)
        self._do("stop", deadline_s)

    def _do(self, action, *deadline):
        self._journal.append((action, self.name, *deadline))
        self._clock.sleep(self._takes_s)
        if self._errors[action] is not None:
            raise self._errors[action]


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def journal():
    return []


@pytest.fixture
def make(clock, journal):
    """Makes parts a, b and c, of which some fail."""

    def make(takes_s=0.0, **errors):
        parts = (Note(name, journal, clock, takes_s=takes_s, **errors.get(name, {})) for name in "abc")
        return Parts(tuple(parts), clock)

    return make


@pytest.fixture(params=["sync", "async"])
def run(request):
    """Starts or stops parts in either way."""

    async def in_loop(method, *arguments):
        await method(*arguments)

    def run(parts, action, *arguments):
        if request.param == "sync":
            return getattr(parts, action)(*arguments)
        return asyncio.run(in_loop(getattr(parts, f"{action}_async"), *arguments))

    return run


def start(run, parts, change=None):
    run(parts, "start", change or Change("started"), 10.0)


def test_are_started_in_order_and_stopped_in_reverse(run, make, journal):
    parts = make()
    start(run, parts)
    run(parts, "stop", 5.0)
    assert journal == [
        *(("start", name) for name in "abc"),
        *(("stop", name, 5.0) for name in "cba"),
    ]
    assert parts.names == ("a", "b", "c")


def test_one_that_fails_to_start_stops_those_before_it(run, make, journal):
    with pytest.raises(ZeroDivisionError):
        start(run, make(c={"start": ZeroDivisionError()}))
    assert journal == [*(("start", name) for name in "abc"), ("stop", "b", 10.0), ("stop", "a", 10.0)]


def test_the_first_that_fails_stops_nothing(run, make, journal):
    with pytest.raises(ZeroDivisionError):
        start(run, make(a={"start": ZeroDivisionError()}))
    assert journal == [("start", "a")]


def test_the_error_of_the_start_wins(run, make, journal, caplog):
    parts = make(b={"start": ZeroDivisionError()}, a={"stop": OSError("secret")})
    with pytest.raises(ZeroDivisionError) as caught:
        start(run, parts)
    assert caught.value.__notes__ == ["and while the parts before it stopped: OSError"]
    assert caplog.messages == ["a did not stop: OSError"]


def test_all_are_stopped_where_one_fails(run, make, journal, caplog):
    caplog.set_level(logging.ERROR)
    with pytest.raises(OSError, match="full"):
        run(make(b={"stop": OSError("full")}), "stop", 5.0)
    assert [name for _, name, _ in journal] == ["c", "b", "a"]
    assert caplog.messages == ["b did not stop: OSError"]


def test_several_failures_are_told_together(run, make, journal):
    first, second = OSError("full"), ZeroDivisionError()
    with pytest.raises(ExceptionGroup) as caught:
        run(make(b={"stop": first}, c={"stop": second}), "stop", 5.0)
    assert caught.value.exceptions == (second, first)


def test_share_one_deadline(run, make, journal):
    run(make(takes_s=2.0), "stop", 3.0)
    assert journal == [("stop", "c", 3.0), ("stop", "b", 1.0), ("stop", "a", 0.0)]


def test_an_interrupt_stops_what_is_started(run, make, journal):
    with pytest.raises(KeyboardInterrupt):
        start(run, make(b={"start": KeyboardInterrupt()}))
    assert journal[-1] == ("stop", "a", 10.0)


def test_a_start_that_is_not_wanted_any_more_ends(run, make, journal):
    change = Change("started")
    change.is_abandoned = True
    with pytest.raises(NotStarted):
        start(run, make(), change)
    assert journal == []


async def test_a_cancelled_start_stops_what_is_started(make, journal):
    parts = make()
    task = asyncio.create_task(parts.start_async(Change("started"), 10.0))
    while journal != [("start", "a"), ("start", "b")]:
        await asyncio.sleep(0)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [name for action, name, *_ in journal if action == "stop"] == ["b", "a"]
