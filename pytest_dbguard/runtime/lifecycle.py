"""Sees to it that something is started and stopped once at a time, whoever asks: threads, tasks, signals, forks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock, get_ident
from typing import Any, Literal
from weakref import WeakSet

from pytest_dbguard.runtime.errors import NotStarted

State = Literal["new", "starting", "started", "stopping", "stopped"]
Goal = Literal["started", "stopped"]


@dataclass(slots=True, eq=False)
class Change:
    """A start or stop under way."""

    goal: Goal
    thread: int = field(default_factory=get_ident)
    """The thread that makes it, or whose event loop does."""

    is_async: bool = False
    over: Future[None] = field(default_factory=Future)
    """Done when it has ended, well or badly."""

    is_abandoned: bool = False
    """Whether a stop came in the midst of this start, from a signal handler."""

    def go_on(self) -> None:
        """Raise `NotStarted` where a start is not wanted any more."""
        if self.is_abandoned:
            raise NotStarted("it was stopped while it started")


class Lifecycle:
    """The state of something that starts and stops. Any number of threads and tasks may ask for either at once.

    One of them does the work, the others wait for it; what is there already is not done again. In a child process
    that was forked, what was started is new again.
    """

    def __init__(self) -> None:
        self._lock = RLock()  # a signal handler may ask in the midst of the few lines that hold it
        self._state: State = "new"
        self._change: Change | None = None
        _ALIVE.add(self)

    @property
    def state(self) -> State:
        """What it is now."""
        return self._state

    def start(self, work: Callable[[Change], object]) -> None:
        """Do what starts it, unless it is started; one that fails leaves it new.

        Args:
            work: Calls `Change.go_on` between its steps.

        Raises:
            NotStarted: When this thread is about to start or stop it already.
        """
        self._do("started", work)

    def stop(self, work: Callable[[Change], object]) -> None:
        """Do what stops it, unless it is stopped; also where it was never started.

        In a thread that stops it already it returns at once; one that starts it gives up.
        """
        self._do("stopped", work)

    async def start_async(self, work: Callable[[Change], Coroutine[Any, Any, object]]) -> None:
        """Do what `start` does, while other tasks run."""
        await self._do_async("started", work)

    async def stop_async(self, work: Callable[[Change], Coroutine[Any, Any, object]]) -> None:
        """Do what `stop` does, to its end also where the task is cancelled."""
        await self._do_async("stopped", work)

    def renew(self) -> None:
        """Begin anew in a forked child, where whoever held the lock or worked on a change is not."""
        self._lock, self._change = RLock(), None
        self._state = "new" if self._state in ("new", "starting", "started") else "stopped"

    def _do(self, goal: Goal, work: Callable[[Change], object]) -> None:
        mine = Change(goal)
        while (change := self._claim(mine)) is not None:
            if change is mine:
                with self._making(mine):
                    work(mine)
                return
            if change.thread == mine.thread:
                return _meet(change, goal)
            change.over.result()

    async def _do_async(self, goal: Goal, work: Callable[[Change], Coroutine[Any, Any, object]]) -> None:
        mine = Change(goal, is_async=True)
        while (change := self._claim(mine)) is not None:
            if change is mine:
                with self._making(mine):
                    await (to_the_end(work(mine)) if goal == "stopped" else work(mine))
                return
            if change.thread == mine.thread and not change.is_async:
                return _meet(change, goal)
            # of several waiters one may be cancelled, and what they wait for must not be
            await asyncio.shield(asyncio.wrap_future(change.over))

    def _claim(self, mine: Change) -> Change | None:
        """Return the change under way, which is `mine` where there was none, or None where nothing is to be done."""
        with self._lock:
            if self._change is not None:
                return self._change
            if self._state == mine.goal:
                return None
            self._change = mine
            self._state = "starting" if mine.goal == "started" else "stopping"
            return mine

    @contextmanager
    def _making(self, mine: Change) -> Iterator[None]:
        reached: State = "stopped" if mine.goal == "stopped" else "new"
        try:
            yield
            reached = mine.goal
        finally:
            if self._change is mine:  # not so in a child that was forked meanwhile
                with self._lock:
                    self._state, self._change = reached, None
            mine.over.set_result(None)


async def to_the_end(work: Coroutine[Any, Any, object]) -> None:
    """Await work that must not be broken off; a cancellation is delivered when it has ended."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = None if task.cancelled() else error
        except Exception:  # noqa: BLE001, S110  told by the task's result
            pass
    if cancelled is not None:
        raise cancelled from task.exception()
    task.result()


def _meet(change: Change, goal: Goal) -> None:
    """Settle what is asked for in the midst of a change that waits for this very thread."""
    if goal == "stopped":
        change.is_abandoned = True
        return
    doing = "starts" if change.goal == "started" else "stops"
    raise NotStarted(f"it {doing} right now", hint="await start_async() before it is used")


def _renew_all() -> None:
    for each in list(_ALIVE):
        each.renew()


_ALIVE: WeakSet[Lifecycle] = WeakSet()
"""What a fork has to renew; mutable, since a hook for forks cannot be taken back."""
os.register_at_fork(after_in_child=_renew_all)
