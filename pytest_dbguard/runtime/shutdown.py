"""The end of a manager's engines: nothing handed out, work waited for, what is left cancelled, all closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Thread
from typing import TYPE_CHECKING, Any

from pytest_dbguard.runtime.clock import SYSTEM_CLOCK, Clock, pause
from pytest_dbguard.runtime.cutting import cancel, cancel_async, sever

if TYPE_CHECKING:
    from pytest_dbguard.runtime.engine_set import EngineOfTarget

_LOG = logging.getLogger("pytest_dbguard.runtime")
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05
_CANCEL_S = 1.0
"""How long asking servers to cancel may take, in real time: for all connections together, where one comes after the
other."""

_LEAST_S = 0.01

_GRACE_S = 1.0
"""How long what was cancelled may take to come back."""

_CLOSE_S = 2.0
"""How long closing idle connections of an event loop may take."""


@dataclass(frozen=True, slots=True)
class ShutdownReport:
    """What an end took."""

    waited_s: float = 0.0
    """Seconds until all had come back, or the deadline was over."""

    cancelled: int = 0
    """Connections that had not come back by then: what ran on them was cancelled."""

    severed: int = 0
    """Connections that were cut off, since cancelling did not bring them back."""


class Shutdown:
    """Ends engines, once. Whoever waits for a connection is refused at once, and whoever has one may go on with it."""

    def __init__(self, members: Sequence[EngineOfTarget], clock: Clock) -> None:
        self._members = members
        self._clock = clock
        self._report = ShutdownReport()

    def run(self, deadline_s: float) -> ShutdownReport:
        """End them from a thread; what belongs to an event loop is ended without it.

        In the thread of a running event loop no task can go on meanwhile, so that its work is not waited for.
        """
        self._refuse()
        for seconds in self._until_unused(deadline_s, self._that_go_on()):
            self._clock.sleep(seconds)
        end = SYSTEM_CLOCK.monotonic() + _CANCEL_S
        for connection in self._overdue():
            cancel(connection, max(_LEAST_S, end - SYSTEM_CLOCK.monotonic()))
        for seconds in self._until_unused(_GRACE_S if self._report.cancelled else 0.0, self._that_go_on()):
            self._clock.sleep(seconds)
        self._sever()
        for member in self._members:
            _close(member)
        return self._report

    async def run_async(self, deadline_s: float) -> ShutdownReport:
        """End them from a task, without holding up its event loop."""
        self._refuse()
        for seconds in self._until_unused(deadline_s, self._members):
            await pause(self._clock, seconds)
        overdue = self._overdue()
        if overdue:
            await asyncio.gather(*(cancel_async(connection, _CANCEL_S) for connection in overdue))
        for seconds in self._until_unused(_GRACE_S if overdue else 0.0, self._members):
            await pause(self._clock, seconds)
        self._sever()
        for member in self._members:
            await _close_async(member)
        return self._report

    def cut(self) -> None:
        """End them at once, where an end was itself interrupted."""
        self._refuse()
        self._sever()
        for member in self._members:
            _close(member)

    def _refuse(self) -> None:
        for member in self._members:
            member.pool.refuse()

    def _that_go_on(self) -> Sequence[EngineOfTarget]:
        if asyncio._get_running_loop() is None:
            return self._members
        return tuple(member for member in self._members if not member.is_async)

    def _until_unused(self, limit_s: float, members: Sequence[EngineOfTarget]) -> Iterator[float]:
        """Yield how long to wait, again and again, until nothing is in use or the time is over."""
        began = self._clock.monotonic()
        step = _FIRST_PAUSE_S
        while any(member.in_use for member in members):
            left = began + limit_s - self._clock.monotonic()
            if left <= 0:
                break
            yield min(step, left)
            step = min(2 * step, _LONGEST_PAUSE_S)
        waited_s = self._report.waited_s + self._clock.monotonic() - began
        self._report = replace(self._report, waited_s=waited_s)

    def _overdue(self) -> tuple[Any, ...]:
        for member in self._members:
            _tell_holders(member)
        overdue = self._in_use()
        self._report = replace(self._report, cancelled=len(overdue))
        return overdue

    def _sever(self) -> None:
        left = self._in_use()
        for connection in left:
            sever(connection)
        self._report = replace(self._report, severed=len(left))

    def _in_use(self) -> tuple[Any, ...]:
        return tuple(connection for member in self._members for connection in member.opened.in_use())


def _tell_holders(member: EngineOfTarget) -> None:
    for holder in member.pool.checked_out():
        _LOG.warning("the shutdown cancels what has a connection of %s, %s", member.target.name, holder)


def _close(member: EngineOfTarget) -> None:
    """Close what is idle now; the rest closes when it comes back."""
    running, own = asyncio._get_running_loop(), getattr(member.pool, "loop", None)
    if own is not None and own.is_running() and own is not running:
        closing = asyncio.run_coroutine_threadsafe(_close_async(member), own)
        try:
            closing.result(2 * _CLOSE_S)
        except TimeoutError:  # the loop is held up
            _sever_idle(member)
    elif not member.is_async:
        member.pool.close_for_good()
    elif member.engine.dialect.has_terminate:
        member.pool.dispose()
    elif running is None:
        # these drivers close their connections in whichever loop
        asyncio.run(_close_async(member))
    else:
        thread = Thread(target=lambda: asyncio.run(_close_async(member)), name="dbguard-shutdown")
        thread.start()
        thread.join()


async def _close_async(member: EngineOfTarget) -> None:
    """Close what is idle now, and cut off what a server does not let go in time."""
    pool: Any = member.pool
    if not member.is_async:
        await asyncio.to_thread(pool.close_for_good)
        return
    timer = asyncio.get_running_loop().call_later(_CLOSE_S, _sever_idle, member)
    try:
        await pool.close_for_good_async()
    finally:
        timer.cancel()


def _sever_idle(member: EngineOfTarget) -> None:
    for connection in member.opened.idle():
        sever(connection)
