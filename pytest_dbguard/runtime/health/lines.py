"""One connection outside of any pool, which another thread can cut when its server says nothing any more."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import Any

from sqlalchemy.engine import Dialect


class Cut(Exception):
    """The line was cut before there was a connection on it."""


class Line:
    """The way to a server for one probe. `cut` may be called from any thread at any time, and often."""

    def __init__(self) -> None:
        self.is_cut = False
        self._lock = RLock()
        self._copy: socket.socket | None = None
        self._interrupt: Callable[[], object] | None = None

    def connecting_in(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        """Have a cut cancel the task that connects in a loop of its own."""
        self._hold(None, lambda: loop.call_soon_threadsafe(task.cancel))

    def hold(self, dialect: Dialect, connection: Any) -> None:
        """Have a cut end a connection: its socket is shut down, which wakes whoever waits for it.

        Cancelling would not do: psycopg then asks the server to cancel and waits for its answer.

        Raises:
            Cut: When the line was cut before.
        """
        driver = dialect.get_driver_connection(connection)
        descriptor = _descriptor(driver)
        interrupt = getattr(getattr(driver, "_conn", driver), "interrupt", None)
        # a copy: libpq may close its own at any time, and the number may then be somebody else's
        copy = None if descriptor is None else socket.socket(fileno=os.dup(descriptor))
        self._hold(copy, interrupt if copy is None else None)

    def cut(self) -> None:
        """End what is under way; connecting without an event loop goes on until its timeout."""
        with self._lock:
            self.is_cut = True
            self._end()

    def release(self) -> None:
        """Let go of the connection, which is closed now."""
        with self._lock:
            if self._copy is not None:
                self._copy.close()
            self._copy = self._interrupt = None

    def _hold(self, copy: socket.socket | None, interrupt: Callable[[], object] | None) -> None:
        with self._lock:
            self._copy, self._interrupt = copy, interrupt
            if self.is_cut:
                self._end()
                raise Cut

    def _end(self) -> None:
        with suppress(Exception):
            if self._copy is not None:
                self._copy.shutdown(socket.SHUT_RDWR)
            elif self._interrupt is not None:
                self._interrupt()


def _descriptor(driver: Any) -> int | None:
    """Return the number of the socket of a driver's connection: psycopg, psycopg2, asyncpg; None for others."""
    with suppress(Exception):
        if hasattr(driver, "pgconn"):
            return int(driver.pgconn.socket)
        if hasattr(driver, "fileno"):
            return int(driver.fileno())
        transport = getattr(driver, "_transport", None)
        if transport is not None:
            return int(transport.get_extra_info("socket").fileno())
    return None
