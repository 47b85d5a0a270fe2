"""Opens a connection besides a pool's own, in a thread that nobody waits for longer than they want."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from sqlalchemy.pool.base import _ConnectionRecord
from sqlalchemy.util import greenlet_spawn

from pytest_dbguard.runtime.pools.liveness import within

if TYPE_CHECKING:
    from pytest_dbguard.runtime.pools.guarded import Guarded


class SecondOpinion:
    """Asks whether anybody answers where a pool connects to.

    The pool's own way to connect is used, with its listeners and credentials; an asynchronous driver gets an event loop
    of its own. An answer is whatever the server says before it lets a client in: a refusal, such as for too many
    connections, is one too. Nothing is asked on the new connection: a pooler that is waiting for one of the statements
    to end would not answer that in time.
    """

    def __init__(self, pool: Guarded) -> None:
        """Begin to connect."""
        self._pool = pool
        self._ended = Event()
        self._error: BaseException | None = None
        Thread(target=self._run, name="dbguard-second-opinion", daemon=True).start()

    @property
    def is_under_way(self) -> bool:
        """Whether it still connects; it does so until the driver's own timeout is over."""
        return not self._ended.is_set()

    def is_silent(self, timeout_s: float) -> bool:
        """Whether nobody answers within `timeout_s` seconds of real time. Waits for as long."""
        return not self._ended.wait(timeout_s) or (self._error is not None and _says_timeout(self._error))

    def _run(self) -> None:
        try:
            if getattr(self._pool._dialect, "is_async", False):
                asyncio.run(greenlet_spawn(self._connect_within))
            else:
                self._connect()
        except BaseException as error:  # noqa: BLE001  whatever is raised is the answer
            self._error = error
        finally:
            self._ended.set()

    def _connect_within(self) -> None:
        within(self._pool.policy.connect_timeout_s, self._connect)

    def _connect(self) -> None:
        pool = self._pool
        connection: Any = pool._invoke_creator(_ConnectionRecord(pool, connect=False))
        self._ended.set()
        with suppress(Exception):
            pool._dialect.do_terminate(connection)


def _says_timeout(error: BaseException) -> bool:
    """Whether a driver gave up waiting: a class of its own in psycopg, in psycopg2 libpq's text alone."""
    if isinstance(error, TimeoutError) or type(error).__name__ == "ConnectionTimeout":
        return True
    return "timeout expired" in str(error)
