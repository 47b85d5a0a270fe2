"""One connection of a guarded pool: knows by a monotonic clock whether it may still be used, and why it ended."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import ref

from sqlalchemy.pool.base import _ConnectionRecord

from pytest_dbguard.runtime.pools.leaks import Trace
from pytest_dbguard.runtime.pools.liveness import abandon

if TYPE_CHECKING:
    from pytest_dbguard.runtime.pools.guarded import Guarded

Use: TypeAlias = tuple[float, int, Any, Trace | None, "ref[Any]"]
"""Since when, thread, weak reference to the task, trace, weak reference to the proxy. A tuple, as it is made often."""


class GuardedRecord(_ConnectionRecord):
    """SQLAlchemy's record of a connection, with its own idea of age.

    SQLAlchemy compares wall clock times to tell whether a connection is too old or was invalidated: set the clock back,
    and it hands out what it knows to be broken. Here each connection belongs to a generation of its pool instead.
    """

    __slots__ = (
        "answered_at",
        "expires_at",
        "generation",
        "guard",
        "idle_since",
        "is_doomed",
        "is_leak",
        "is_open",
        "last_statement",
        "statements",
        "use",
    )

    def __init__(self, pool: Guarded) -> None:
        super().__init__(pool, connect=False)
        self.guard = pool
        self.use: Use | None = None
        self.last_statement: str | None = None
        self.statements = 0
        """How many have been noted as `last_statement`."""

        self.is_leak = False
        self.is_open = False
        """Whether the statistics count it among those that are open."""
        self.is_doomed = False
        self.generation = -1
        self.idle_since = self.answered_at = self.expires_at = -math.inf
        self.open()

    def get_connection(self) -> Any:
        """Return the connection for a caller: checked if it was idle for long, and a new one if it may not be used."""
        pool = self.guard
        if self.dbapi_connection is None:
            return self.open()
        now = pool.now()
        if self.generation != pool.generation or self.is_doomed or now >= self.expires_at:
            self.end(self.why_not(now) or "replaced")
            return self.open()
        if now - self.answered_at <= pool.policy.check_after_idle_s and self.answered_at > pool.doubted_at:
            return self.dbapi_connection
        return self.dbapi_connection if pool.answers(self) else self.open()

    def why_not(self, now: float) -> str | None:
        """Return why it may not be used any more, None when it may."""
        if self.generation != self.guard.generation:
            return "replaced"
        if self.is_doomed:
            return "invalidated"
        return "lifetime" if now >= self.expires_at else None

    def open(self) -> Any:
        """Connect, with what the driver raises when that fails."""
        pool = self.guard
        # taken before: what invalidates the pool meanwhile counts for this one, too
        generation, began = pool.generation, pool.now()
        try:
            connection = pool.limited(super().get_connection)
        except BaseException:
            pool.stats.count("failed")
            if self.dbapi_connection is not None:
                # a listener has failed: SQLAlchemy up to 2.0.49 leaves such a connection to the garbage collector
                pool._close_connection(self.dbapi_connection, terminate=True)
                self.dbapi_connection = None
            raise
        now = pool.now()
        self.generation, self.is_doomed = generation, False
        self.idle_since = self.answered_at = now
        self.expires_at = pool.expiry(now)
        self.is_open = True
        pool.stats.opened(now - began)
        return connection

    def end(self, reason: str) -> None:
        """Close the connection without waiting for its server, and count why."""
        connection, pool = self.dbapi_connection, self.guard
        if connection is None:
            return
        self.count_end(reason)
        self.finalize_callback.clear()
        try:
            if pool.dispatch.close:
                pool.dispatch.close(connection, self)
        finally:
            try:
                if self.generation < pool.abandoned:
                    # its server does not answer: saying goodbye would wait for it
                    abandon(self.driver_connection)
                pool._close_connection(connection, terminate=True)
            finally:
                self.dbapi_connection = None

    def checkin(self, _fairy_was_created: bool = True) -> None:
        """Give it back to its pool, whatever listeners do: SQLAlchemy loses its place when one raises."""
        if self.fairy_ref is None and _fairy_was_created:
            super().checkin(_fairy_was_created)  # warns that it came back before
            return
        self.fairy_ref = None
        pool, connection = self.guard, self.dbapi_connection
        try:
            while self.finalize_callback:
                finalizer = self.finalize_callback.pop()
                if connection is not None:
                    finalizer(connection)
            if pool.dispatch.checkin:
                pool.dispatch.checkin(connection, self)
        except BaseException:
            self.is_doomed = True
            raise
        finally:
            pool._do_return_conn(self)

    def count_end(self, reason: str) -> None:
        """Count it as closed, once."""
        with self.guard.stats.lock:
            if self.is_open:
                self.is_open = False
                self.guard.stats.closed[reason] += 1

    def close(self) -> None:
        """Close the connection."""
        self.end("closed")

    def invalidate(self, e: BaseException | None = None, soft: bool = False) -> None:
        """Close the connection, or see that it is replaced when it is next asked for."""
        try:
            super().invalidate(e, soft)
        finally:
            if self.dbapi_connection is None:
                self.count_end("invalidated")
            else:
                self.is_doomed = True

    def _is_hard_or_soft_invalidated(self) -> bool:
        return self.dbapi_connection is None or self.is_doomed or self.generation != self.guard.generation

    def _checkin_failed(self, err: BaseException, _fairy_was_created: bool = True) -> None:
        # SQLAlchemy up to 2.0.49 loses the record when invalidating is interrupted, as by a cancellation
        try:
            self.invalidate(e=err)
        finally:
            self.checkin(_fairy_was_created=_fairy_was_created)
