"""Starting and stopping once at a time: threads, tasks, signals in the midst, cancellation, forks."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_dbguard.runtime.errors import NotStarted
from pytest_dbguard.runtime.lifecycle import Lifecycle, to_the_end

LONG_S = 20


@pytest.fixture
def life():
    return Lifecycle()


class Work:
    """Counts how often it is done."""

    def __init__(self, error=None):
        self.times = 0
        self.error = error

    def __call__(self, change):
        self.times += 1
        if self.error is not None:
            raise self.error

    async def in_loop(self, change):
        await asyncio.sleep(0)
        self(change)


def test_starts_and_stops_once(life):
    start, stop = Work(), Work()
    assert life.state == "new"
    life.start(start)
    life.start(start)
    assert life.state == "started"
    life.stop(stop)
    life.stop(stop)
    assert (life.state, start.times, stop.times) == ("stopped", 1, 1)


async def test_starts_and_stops_once_in_a_loop(life):
    start, stop = Work(), Work()
    await asyncio.gather(*(life.start_async(start.in_loop) for _ in range(3)))
    assert life.state == "started"
    await asyncio.gather(*(life.stop_async(stop.in_loop) for _ in range(3)))
    assert (life.state, start.times, stop.times) == ("stopped", 1, 1)


def test_starts_again_after_a_stop(life):
    start = Work()
    life.start(start)
    life.stop(Work())
    life.start(start)
    assert (life.state, start.times) == ("started", 2)


def test_a_stop_before_the_start_is_a_stop(life):
    stop = Work()
    life.stop(stop)
    assert (life.state, stop.times) == ("stopped", 1)


def test_a_failed_start_can_be_tried_again(life):
    with pytest.raises(ZeroDivisionError):
        life.start(Work(ZeroDivisionError()))
    assert life.state == "new"
    life.start(Work())
    assert life.state == "started"


def test_a_failed_stop_is_a_stop(life):
    life.start(Work())
    with pytest.raises(ZeroDivisionError):
        life.stop(Work(ZeroDivisionError()))
    assert life.state == "stopped"


async def test_failures_in_a_loop(life):
    with pytest.raises(ZeroDivisionError):
        await life.start_async(Work(ZeroDivisionError()).in_loop)
    assert life.state == "new"
    await life.start_async(Work().in_loop)
    with pytest.raises(ZeroDivisionError):
        await life.stop_async(Work(ZeroDivisionError()).in_loop)
    assert life.state == "stopped"


def test_threads_wait_for_the_one_that_starts(life):
    has_begun, may_end = threading.Event(), threading.Event()
    states = []

    def slowly(change):
        has_begun.set()
        assert may_end.wait(LONG_S)

    def ask():
        life.start(Work(AssertionError("a second start")))
        states.append(life.state)

    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(life.start, slowly)
        assert has_begun.wait(LONG_S)
        assert life.state == "starting"
        others = [pool.submit(ask) for _ in range(8)]
        assert states == []
        may_end.set()
        for each in (first, *others):
            each.result(LONG_S)
    assert states == ["started"] * 8


def test_who_waited_for_a_start_that_failed_tries_itself(life):
    has_begun, may_end = threading.Event(), threading.Event()

    def badly(change):
        has_begun.set()
        assert may_end.wait(LONG_S)
        raise ZeroDivisionError

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(life.start, badly)
        assert has_begun.wait(LONG_S)
        second = pool.submit(life.start, Work())
        may_end.set()
        assert isinstance(first.exception(LONG_S), ZeroDivisionError)
        second.result(LONG_S)
    assert life.state == "started"


async def test_tasks_wait_for_a_thread(life):
    has_begun, may_end = threading.Event(), threading.Event()

    def slowly(change):
        has_begun.set()
        assert may_end.wait(LONG_S)

    first = asyncio.create_task(asyncio.to_thread(life.start, slowly))
    assert await asyncio.to_thread(has_begun.wait, LONG_S)
    second = asyncio.create_task(life.start_async(Work(AssertionError("a second start")).in_loop))
    await asyncio.sleep(0)
    assert life.state == "starting"
    may_end.set()
    await asyncio.gather(first, second)
    assert life.state == "started"


async def test_one_who_waits_may_be_cancelled(life):
    may_end = asyncio.Event()

    async def slowly(change):
        await may_end.wait()

    tasks = [asyncio.create_task(life.start_async(slowly)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    may_end.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), asyncio.CancelledError, type(None)]
    assert life.state == "started"


def test_a_stop_in_the_midst_of_a_stop_returns_at_once(life):
    """So does a signal handler whose signal comes twice."""
    life.start(Work())
    again = Work()
    life.stop(lambda change: life.stop(again))
    assert (life.state, again.times) == ("stopped", 0)


def test_a_stop_in_the_midst_of_a_start_ends_it(life):
    def interrupted(change):
        life.stop(Work(AssertionError("nothing is there to be stopped")))
        change.go_on()

    with pytest.raises(NotStarted, match="stopped while it started"):
        life.start(interrupted)
    assert life.state == "new"


@pytest.mark.parametrize("goal", ["start", "stop"])
def test_a_start_in_the_midst_is_refused(life, goal):
    with pytest.raises(NotStarted, match=f"it {goal}s right now"):
        getattr(life, goal)(lambda change: life.start(Work()))


async def test_who_cannot_wait_in_a_loop_is_refused(life):
    async def start(change):
        with pytest.raises(NotStarted, match="it starts right now"):
            life.start(Work())

    await life.start_async(start)
    assert life.state == "started"


async def test_a_cancelled_start_leaves_it_new(life):
    task = asyncio.create_task(life.start_async(lambda change: asyncio.sleep(LONG_S)))
    await asyncio.sleep(0)
    assert life.state == "starting"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert life.state == "new"


async def test_a_cancelled_stop_goes_to_its_end(life):
    may_end, was_ended = asyncio.Event(), False

    async def slowly(change):
        nonlocal was_ended
        await may_end.wait()
        was_ended = True

    await life.start_async(Work().in_loop)
    task = asyncio.create_task(life.stop_async(slowly))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    assert life.state == "stopping"
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (life.state, was_ended) == ("stopped", True)


async def test_a_timeout_waits_for_the_end():
    ended = asyncio.Event()

    async def work():
        await asyncio.sleep(0)
        ended.set()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await to_the_end(work())
    assert ended.is_set()


async def test_the_cause_of_a_cancelled_failure_is_kept():
    async def work():
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        raise ZeroDivisionError

    task = asyncio.create_task(to_the_end(work()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def in_child(work):
    """Return what `work` returns in a forked child, a number below 128."""
    child = os.fork()
    if child == 0:
        status = 127
        try:
            status = work()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


STATES = ("new", "starting", "started", "stopping", "stopped")


@pytest.mark.parametrize("goal", ["start", "stop"])
def test_a_child_has_a_state_of_its_own(life, goal):
    start, stop = Work(), Work()
    if goal == "start":
        life.start(start)
    else:
        life.stop(stop)
    expected = {"start": "new", "stop": "stopped"}[goal]
    assert in_child(lambda: STATES.index(life.state)) == STATES.index(expected)
    assert life.state == {"start": "started", "stop": "stopped"}[goal]


def test_a_child_does_not_wait_for_a_thread_that_it_does_not_have(life):
    has_begun, may_end = threading.Event(), threading.Event()

    def slowly(change):
        has_begun.set()
        assert may_end.wait(LONG_S)

    def child():
        life.start(Work())
        return STATES.index(life.state)

    def hold():
        with life._lock:
            is_held.set()
            assert may_end.wait(LONG_S)

    is_held = threading.Event()
    threads = [threading.Thread(target=life.start, args=(slowly,)), threading.Thread(target=hold)]
    for thread, event in zip(threads, (has_begun, is_held)):
        thread.start()
        assert event.wait(LONG_S)
    assert in_child(child) == STATES.index("started")
    may_end.set()
    for thread in threads:
        thread.join(LONG_S)
    assert life.state == "started"
