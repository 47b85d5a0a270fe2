"""What goes on in the background: started and stopped by threads and tasks, after errors, and kept by nobody."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest

from pytest_dbguard.runtime.health.background import Background
from tests.runtime.waiting import WATCHDOG_S, eventually


class Owner:
    """Counts how often it was asked to work."""

    def __init__(self, every_s=0.0):
        self.turns = threading.Semaphore(0)
        self.fails = False
        self.blocked = threading.Event()
        self.blocked.set()
        self.background = Background("background of a test", every_s, self.do, self.do_async)

    def do(self):
        self.turns.release()
        self.blocked.wait(WATCHDOG_S)
        if self.fails:
            raise RuntimeError("secret")

    async def do_async(self):
        self.do()


def test_the_background_goes_on_after_an_error_and_tells_it_without_its_text(caplog):
    owner = Owner()
    owner.fails = True
    owner.background.start()
    assert all(owner.turns.acquire(timeout=WATCHDOG_S) for _ in range(5))
    owner.background.stop(WATCHDOG_S)
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_stopping_does_not_wait_beyond_its_deadline():
    owner = Owner()
    owner.blocked.clear()
    owner.background.start()
    assert owner.turns.acquire(timeout=WATCHDOG_S)
    owner.background.stop(0.0)
    assert not owner.background.is_running
    owner.blocked.set()
    assert eventually(lambda: not any(t.name == "background of a test" for t in threading.enumerate()), "its end")


def test_the_background_may_stop_itself():
    class Suicidal(Owner):
        def do(self):
            super().do()
            self.background.stop(WATCHDOG_S)

    owner = Suicidal()
    owner.background.start()
    assert owner.turns.acquire(timeout=WATCHDOG_S)
    assert eventually(lambda: not any(t.name == "background of a test" for t in threading.enumerate()), "its end")


def test_an_owner_that_nobody_has_any_more_is_not_kept():
    owner = Owner(every_s=0.01)
    owner.background.start()
    assert owner.turns.acquire(timeout=WATCHDOG_S)
    gone = weakref.ref(owner)
    del owner

    def is_gone():
        gc.collect()
        return gone() is None

    assert eventually(is_gone, "the owner to be collected")
    assert eventually(lambda: not any(t.name == "background of a test" for t in threading.enumerate()), "its end")


async def test_a_thread_may_be_stopped_by_a_task_and_a_task_by_a_thread():
    owner = Owner(every_s=1000.0)
    owner.background.start()
    assert await asyncio.to_thread(owner.turns.acquire, timeout=WATCHDOG_S)
    await owner.background.stop_async(WATCHDOG_S)
    assert not any(each.name == "background of a test" for each in threading.enumerate())
    await owner.background.start_async()
    (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "background of a test"]
    assert await asyncio.to_thread(owner.turns.acquire, timeout=WATCHDOG_S)
    await asyncio.to_thread(owner.background.stop, WATCHDOG_S)
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_task_whose_loop_has_ended_may_be_stopped():
    owner = Owner(every_s=1000.0)
    asyncio.run(owner.background.start_async())
    assert not owner.background.is_running
    owner.background.stop(WATCHDOG_S)
    asyncio.run(owner.background.stop_async(WATCHDOG_S))
    owner.background.start()
    assert owner.turns.acquire(timeout=WATCHDOG_S)
    owner.background.stop(WATCHDOG_S)


async def test_a_task_goes_on_after_an_error(caplog):
    owner = Owner()
    owner.fails = True
    await owner.background.start_async()
    assert all([await asyncio.to_thread(owner.turns.acquire, timeout=WATCHDOG_S) for _ in range(3)])
    await owner.background.stop_async(WATCHDOG_S)
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_a_task_whose_loop_was_closed_over_it_may_be_stopped():
    for stop in (
        lambda background: background.stop(WATCHDOG_S),
        lambda background: asyncio.run(background.stop_async(WATCHDOG_S)),
    ):
        owner = Owner(every_s=1000.0)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(owner.background.start_async())
        task = owner.background._task
        loop.close()
        stop(owner.background)
        assert not owner.background.is_running
        # nobody can end it any more, and it is not to be told of when it is collected
        task._log_destroy_pending = False
        task.get_coro().close()
