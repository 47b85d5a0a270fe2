"""Counts every statement of the engines it is attached to, by role and shape, in bounded memory."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from threading import RLock
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import MissingGreenlet

from pytest_dbguard.runtime.clock import SYSTEM_CLOCK, Clock
from pytest_dbguard.runtime.events import Events, QueryEvent
from pytest_dbguard.runtime.pools.forks import in_children
from pytest_dbguard.runtime.statistics.figures import RoleFigures, StatementFigures
from pytest_dbguard.runtime.statistics.ledger import Ledger
from pytest_dbguard.runtime.statistics.row import Row

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

_Listeners = tuple[tuple[str, Callable[..., None]], ...]
_NEVER_NS = 1 << 62


class StatementStatistics:
    """What the statements of one manager took. Safe to use from any thread; a forked process begins anew.

    Costs about a microsecond for each statement, and up to 10 MB for each role. Nothing here raises into the
    application: what fails is counted in `faults`.
    """

    def __init__(
        self,
        events: Events | None = None,
        *,
        slow_ms: float | None = None,
        max_shapes: int = 1000,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Attach to nothing yet.

        Args:
            events: Is told of queries and slow queries, when anybody has subscribed to them.
            slow_ms: From when on a statement is slow; None for never.
            max_shapes: Shapes that are kept apart in each role; those that took least go together as "other".
            clock: Tells since when is counted.
        """
        self.clock = clock
        self.began_at = clock.monotonic()
        """When counting began, by the clock's `monotonic`."""

        self.faults = 0
        self._events = events or Events()
        self._slow_ns = _NEVER_NS if slow_ms is None else int(slow_ms * 1e6)
        self._max_shapes = max_shapes
        self._ledgers: dict[str, Ledger] = {}
        self._attached: weakref.WeakKeyDictionary[Engine, _Listeners] = weakref.WeakKeyDictionary()
        self._lock = RLock()
        in_children(self, StatementStatistics.reset)

    def attach(self, engine: Engine | AsyncEngine, target: str, role: str) -> None:
        """Count an engine's statements from now on; an engine that is attached already stays so, once."""
        heard = _heard(engine)
        with self._lock:
            if heard in self._attached:
                return
            ledger = self._ledgers.setdefault(role, Ledger(role, self._max_shapes))
            listeners = _Listening(self, ledger, self._events, self._slow_ns, target).listeners()
            self._attached[heard] = listeners
        for name, listener in listeners:
            event.listen(heard, name, listener)

    def detach(self, engine: Engine | AsyncEngine) -> None:
        """Count an engine's statements no longer; nothing when it is not attached."""
        heard = _heard(engine)
        with self._lock:
            listeners = self._attached.pop(heard, ())
        for name, listener in listeners:
            event.remove(heard, name, listener)

    def shapes(self, role: str | None = None) -> tuple[StatementFigures, ...]:
        """Return what was counted of each shape, of one role or all; those that took most in total first."""
        ledgers = [each for each in list(self._ledgers.values()) if role in (None, each.role)]
        found = [figures for ledger in ledgers for figures in ledger.shapes()]
        return tuple(sorted(found, key=lambda each: (-each.total_ms, each.role, each.shape_id)))

    def roles(self) -> dict[str, RoleFigures]:
        """Return what was counted of each role that has an engine."""
        return {role: ledger.figures() for role, ledger in list(self._ledgers.items())}

    def reset(self) -> None:
        """Forget all that was counted."""
        self._lock = RLock()
        self.faults = 0
        self.began_at = self.clock.monotonic()
        for ledger in list(self._ledgers.values()):
            ledger.reset()


class _Listening:
    """Hears the statements of one engine."""

    def __init__(self, owner: StatementStatistics, ledger: Ledger, events: Events, slow_ns: int, target: str) -> None:
        self._owner = owner
        self._ledger = ledger
        self._events = events
        self._slow_ns = slow_ns
        self._target = target

    def listeners(self) -> _Listeners:
        """Return what to listen to."""
        return (
            ("before_cursor_execute", self._begins),
            ("after_cursor_execute", self._ends),
            ("handle_error", self._fails),
        )

    def _begins(self, conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if context is not None:
            context._dbguard_began = perf_counter_ns()

    def _ends(self, conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        try:
            elapsed_ns = perf_counter_ns() - context._dbguard_began
            is_slow = elapsed_ns >= self._slow_ns
            row = self._ledger.add(context, statement, elapsed_ns, cursor.rowcount, is_slow)
            if self._events.has("query") or is_slow:
                self._tell(row, elapsed_ns, is_slow)
        except Exception:  # noqa: BLE001  nothing of ours may reach the application
            self._owner.faults += 1

    def _fails(self, exception: Any) -> None:
        try:
            context, error = exception.execution_context, exception.original_exception
            began_ns = getattr(context, "_dbguard_began", None)
            if began_ns is None or exception.statement is None or isinstance(error, MissingGreenlet):
                # a connection or a commit, or asynchronous code that could not wait: no statement was sent
                return
            elapsed_ns = perf_counter_ns() - began_ns
            is_slow = elapsed_ns >= self._slow_ns
            row = self._ledger.add(context, exception.statement, elapsed_ns, 0, is_slow)
            if isinstance(error, Exception):
                self._ledger.add_error(row, _kind(error))
            else:
                self._ledger.add_cancelled(row)
            if self._events.has("query") or is_slow:
                self._tell(row, elapsed_ns, is_slow)
        except Exception:  # noqa: BLE001
            self._owner.faults += 1

    def _tell(self, row: Row, elapsed_ns: int, is_slow: bool) -> None:
        """Emit the events that somebody wants; the text is the shape, since an application may write values into it."""
        if not row.is_counted:
            return
        for kind, applies in (("query", True), ("slow_query", is_slow)):
            if applies and self._events.has(kind):  # type: ignore[arg-type]
                told = QueryEvent(self._ledger.role, self._target, row.sql, elapsed_ns / 1e6)
                self._events.emit(kind, told)  # type: ignore[arg-type]


def _heard(engine: Engine | AsyncEngine) -> Engine:
    return engine if isinstance(engine, Engine) else engine.sync_engine


def _kind(error: Exception) -> str:
    """Return the driver's class of an error and its SQLSTATE; never its text, which may hold values."""
    cause = getattr(error, "orig", None) or error
    # asyncpg's own error stands behind the one that SQLAlchemy's adapter makes of it
    sqlstate = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    inner = cause.__cause__ if getattr(cause.__cause__, "sqlstate", None) else cause
    return " ".join(filter(None, (type(inner).__name__, sqlstate)))
