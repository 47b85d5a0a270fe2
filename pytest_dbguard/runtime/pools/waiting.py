"""How a caller waits for a connection: a thread at a lock, a task at a future."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Protocol

from sqlalchemy.util import await_only


class Waiter(Protocol):
    """A caller that waits. All but `wait` is used with the pool's lock held."""

    grant: Any
    """What it was given."""

    is_served: bool

    def serve(self, grant: Any) -> bool:
        """Give it something and wake it; False when it has gone."""
        ...

    def wait(self, timeout_s: float | None) -> None:
        """Wait until it is served or the time is over, which nobody's wall clock decides."""
        ...


class ThreadWaiter:
    """A thread that waits."""

    __slots__ = ("_gate", "grant", "is_served")

    def __init__(self) -> None:
        self.grant: Any = None
        self.is_served = False
        self._gate = threading.Lock()
        self._gate.acquire()

    def serve(self, grant: Any) -> bool:
        """Give it something and wake it."""
        self.grant, self.is_served = grant, True
        self._gate.release()
        return True

    def wait(self, timeout_s: float | None) -> None:
        """Wait until it is served or the time is over."""
        self._gate.acquire(timeout=-1 if timeout_s is None else min(max(timeout_s, 0.0), threading.TIMEOUT_MAX))


class TaskWaiter:
    """A task that waits, in the event loop in which it was made."""

    __slots__ = ("_future", "_loop", "grant", "is_served")

    def __init__(self) -> None:
        self.grant: Any = None
        self.is_served = False
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()

    def serve(self, grant: Any) -> bool:
        """Give it something and wake it, from whichever thread; False when it was cancelled or its loop has ended."""
        if self._future.done():
            return False
        if asyncio._get_running_loop() is self._loop:
            self._future.set_result(None)
        else:
            try:
                self._loop.call_soon_threadsafe(self._wake)
            except RuntimeError:  # its loop is closed
                return False
        self.grant, self.is_served = grant, True
        return True

    def wait(self, timeout_s: float | None) -> None:
        """Wait until it is served or the time is over; a cancellation of the task comes through."""
        await_only(self._wait(timeout_s))

    async def _wait(self, timeout_s: float | None) -> None:
        timer = None if timeout_s is None else self._loop.call_later(timeout_s, self._wake)
        try:
            await self._future
        finally:
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if not self._future.done():
            self._future.set_result(None)
