"""Asks one server in a thread of its own, at most one at a time, whoever wants to know and however often."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import RLock, Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine
from sqlalchemy.pool.base import _ConnectionRecord
from sqlalchemy.util import greenlet_spawn

from pytest_dbguard.runtime.health.answers import NO_ANSWER, Answer, failed
from pytest_dbguard.runtime.health.lines import Cut, Line
from pytest_dbguard.runtime.health.questions import ask, is_in_memory, sqlite_file

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(slots=True)
class Probe:
    """One question that is under way, shared by all who wait for its answer."""

    answer: Future[Answer] = field(default_factory=Future)
    line: Line = field(default_factory=Line)
    waiting: int = 0


class Prober:
    """Asks one server.

    A thread that waits for a frozen server cannot be killed. So there is never more than one for a server: who asks
    while one is under way waits for that one's answer. When the last of them has gone, its connection is cut, which
    ends it; only where that cannot be done does it stay, until the timeout for connecting is over.
    """

    def __init__(self, name: str, engine: Callable[[], Engine | AsyncEngine], limit_s: float = 2.0) -> None:
        """Ask nothing yet.

        Args:
            name: Of the server, for the name of the thread.
            engine: Gives the engine whose way of connecting is used, in the thread that connects.
            limit_s: Seconds after which the server itself is to give up.
        """
        self.name = name
        self._limit_s = limit_s
        self._engine = engine
        # reentrant: a signal's handler may ask while the thread that it interrupts is inside
        self._lock = RLock()
        self._probe: Probe | None = None
        self._pid = os.getpid()

    def join(self) -> Probe:
        """Return the question that is under way, or begin one. Who joins must leave."""
        if self._pid != os.getpid():
            # a forked process has neither the thread that asks nor whoever held the lock
            self._lock, self._probe, self._pid = RLock(), None, os.getpid()
        with self._lock:
            probe = self._probe or self._begin()
            probe.waiting += 1
        return probe

    def leave(self, probe: Probe) -> None:
        """Wait no longer for a question."""
        with self._lock:
            probe.waiting -= 1
            line = None if probe.waiting or probe.answer.done() else probe.line
        if line is not None:
            line.cut()

    def _begin(self) -> Probe:
        probe = Probe()
        # no caller's cancellation may reach those who wait beside it
        probe.answer.set_running_or_notify_cancel()
        try:
            Thread(target=self._run, args=(probe,), name=f"dbguard-health-{self.name}", daemon=True).start()
        except RuntimeError as error:
            # this process can have no more threads
            probe.answer.set_result(failed(error))
        else:
            self._probe = probe
        return probe

    def _run(self, probe: Probe) -> None:
        while True:
            answer = self._ask(probe.line)
            with self._lock:
                if not (probe.line.is_cut and probe.waiting):
                    self._probe = None
                    break
                # nobody waited any more, and now somebody does: they want an answer, not to hear of the cut
                probe.line = Line()
        probe.answer.set_result(answer)

    def _ask(self, line: Line) -> Answer:
        try:
            engine = self._engine()
            if isinstance(engine, Engine):
                return _connect_and_ask(engine, line, self._limit_s)
            return asyncio.run(_ask_async(engine, line, self._limit_s))
        except BaseException as error:  # noqa: BLE001  whatever is raised is the answer: somebody waits for one
            return NO_ANSWER if line.is_cut else failed(error)


async def _ask_async(engine: AsyncEngine, line: Line, limit_s: float) -> Answer:
    """Ask with the driver of an asynchronous engine, in this thread's own loop: the application's may be blocked."""
    task = asyncio.current_task()
    assert task is not None
    line.connecting_in(asyncio.get_running_loop(), task)
    found: Answer = await greenlet_spawn(_connect_and_ask, engine.sync_engine, line, limit_s)
    return found


def _connect_and_ask(engine: Engine, line: Line, limit_s: float) -> Answer:
    if is_in_memory(engine.url) or getattr(engine.pool, "is_lent", False):
        # another connection would see nothing of it, or wait for a lock on all of it; or all have the one that a
        # test rolls back
        return Answer(reachable=True, read_only=False)
    if _has_no_file(engine):
        return Answer(reachable=False, reason="has no file")
    began = perf_counter()
    # the engine's own way to connect, with its listeners and credentials; the pool does not know of what comes out
    connection: Any = engine.pool._invoke_creator(_ConnectionRecord(engine.pool, connect=False))
    connect_ms = (perf_counter() - began) * 1e3
    close = engine.dialect.do_terminate
    try:
        line.hold(engine.dialect, connection)
        answer = ask(engine.dialect, connection, engine.url, limit_s)
        close = engine.dialect.do_close
        return replace(answer, connect_ms=connect_ms)
    finally:
        with suppress(Exception, Cut):
            close(connection)
        line.release()


def _has_no_file(engine: Engine) -> bool:
    """Whether connecting would make an empty database; not where a listener connects, who knows to which."""
    file = sqlite_file(engine.url)
    return file is not None and not file.exists() and not engine.dialect.dispatch.do_connect
