"""Does something again and again, in a thread or in a task of an event loop, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Event, RLock, Thread, current_thread
from weakref import WeakMethod

_LOG = logging.getLogger("pytest_dbguard.runtime")
_JITTER = 0.1


class Background:
    """One thread or task, whichever was started. It keeps the owner of what it does from no garbage collector.

    A forked process has neither; there it can be started anew.
    """

    def __init__(
        self, name: str, every_s: float, do: Callable[[], object], do_async: Callable[[], Awaitable[object]]
    ) -> None:
        """Start nothing yet.

        Args:
            name: Of the thread or task.
            every_s: Seconds from the end of one run to the beginning of the next; 10 % more or less at random, so that
                many processes do not come at once.
            do: A method of the owner, for the thread. What it raises is logged.
            do_async: A method of the owner, for the task.
        """
        self._name = name
        self._every_s = every_s
        self._do = WeakMethod(do)
        self._do_async = WeakMethod(do_async)
        self._random = random.Random()  # noqa: S311  spreads load, guards nothing
        self._pid = os.getpid()
        self._lock = RLock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread or task is there, in this process."""
        return self._pid == os.getpid() and bool(
            (self._thread is not None and self._thread.is_alive()) or (self._task is not None and not self._task.done())
        )

    def start(self) -> None:
        """Start the thread, unless it or the task runs; its first run begins at once."""
        self._notice_fork()
        with self._lock:
            if not self.is_running:
                self._stop = Event()
                self._thread = Thread(target=self._run, args=(self._stop,), name=self._name, daemon=True)
                self._thread.start()

    async def start_async(self) -> None:
        """Start the task in the running event loop, unless it or the thread runs."""
        self._notice_fork()
        with self._lock:
            if not self.is_running:
                self._task = asyncio.create_task(self._run_async(), name=self._name)

    def stop(self, deadline_s: float) -> None:
        """End the thread or task; what it does just now is not waited for beyond the deadline."""
        thread, task = self._take()
        if task is not None and not task.done():
            with suppress(RuntimeError):  # its loop is closed
                task.get_loop().call_soon_threadsafe(task.cancel)
        if thread is not None and thread is not current_thread():
            thread.join(max(0.0, deadline_s))

    async def stop_async(self, deadline_s: float) -> None:
        """End the thread or task, as `stop` does, while other tasks run."""
        thread, task = self._take()
        if task is not None and task.get_loop() is not asyncio.get_running_loop():
            with suppress(RuntimeError):
                task.get_loop().call_soon_threadsafe(task.cancel)
        elif task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.wait([task], timeout=max(0.0, deadline_s))
        if thread is not None and thread is not current_thread():
            await asyncio.to_thread(thread.join, max(0.0, deadline_s))

    def _notice_fork(self) -> None:
        """In a child of the process, forget the thread or task that its parent had, and a lock that nobody lets go."""
        if self._pid != os.getpid():
            self._pid, self._lock, self._stop = os.getpid(), RLock(), Event()
            self._thread = self._task = None

    def _take(self) -> tuple[Thread | None, asyncio.Task[None] | None]:
        self._notice_fork()
        with self._lock:
            self._stop.set()
            taken, self._thread, self._task = (self._thread, self._task), None, None
        return taken

    def _run(self, stop: Event) -> None:
        while (do := self._do()) is not None:
            try:
                do()
            except Exception as error:  # noqa: BLE001  the next run may go well
                self._log(error)
            del do
            if stop.wait(self._pause_s()):
                return

    async def _run_async(self) -> None:
        while (do := self._do_async()) is not None:
            try:
                await do()
            except Exception as error:  # noqa: BLE001
                self._log(error)
            del do
            await asyncio.sleep(self._pause_s())

    def _pause_s(self) -> float:
        return self._every_s * self._random.uniform(1 - _JITTER, 1 + _JITTER)

    def _log(self, error: Exception) -> None:
        _LOG.warning("%s failed: %s", self._name, type(error).__name__)
