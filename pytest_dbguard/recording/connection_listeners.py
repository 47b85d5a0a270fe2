"""Hears where transactions begin and end, and where connections are taken out of their pools."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import Pool

from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope

NOTED_NS = 100_000_000
"""Transactions that take longer are kept, to be judged later."""


class ConnectionListeners:
    """The engine's events around transactions and the pool's around connections."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._began = f"{recorder.name}_began"
        self._collecting_ns = 0
        self._collects_since = 0

    def events(self) -> list[tuple[Any, str, Callable[..., Any], dict[str, Any]]]:
        """Return what to listen to."""
        return [
            (Engine, "begin", self._begins, {}),
            (Engine, "commit", self._commits, {}),
            (Engine, "rollback", self._rolls_back, {}),
            (Pool, "checkout", self._checked_out, {}),
            (Session, "after_begin", self._session_began, {}),
        ]

    def start(self) -> None:
        """Measure how long the collector of garbage works."""
        gc.callbacks.append(self._collects)

    def stop(self) -> None:
        """Measure no longer."""
        if self._collects in gc.callbacks:
            gc.callbacks.remove(self._collects)

    def _collects(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._collects_since = perf_counter_ns()
        elif self._collects_since:
            self._collecting_ns += perf_counter_ns() - self._collects_since
            self._collects_since = 0

    def _begins(self, conn: Connection) -> None:
        scope = self._recorder.scope
        if scope is not None and not scope.is_paused:
            setattr(conn, self._began, (perf_counter_ns(), self._collecting_ns, scope, scope.count))

    def _commits(self, conn: Connection) -> None:
        try:
            self._ended(conn)
            self._recorder.transaction_committed()
        except Exception as error:  # noqa: BLE001  nothing of ours may reach the code under test
            self._recorder.fault("recording a commit", error)

    def _rolls_back(self, conn: Connection) -> None:
        try:
            self._ended(conn)
            self._recorder.transaction_ended()
        except Exception as error:  # noqa: BLE001
            self._recorder.fault("recording a rollback", error)

    def _ended(self, conn: Connection) -> None:
        noted: tuple[int, int, Scope, int] | None = getattr(conn, self._began, None)
        if noted is None:
            return
        delattr(conn, self._began)
        began, collecting, scope, position = noted
        # the collector of garbage may stop a program for seconds, and not where the program waits
        elapsed_ns = perf_counter_ns() - began - (self._collecting_ns - collecting)
        # one that a fixture began is the test's, not the application's
        if elapsed_ns >= NOTED_NS and scope is self._recorder.scope and not scope.is_paused:
            self._recorder.transaction_took(scope, position, elapsed_ns)

    def _checked_out(self, dbapi_connection: Any, record: Any, proxy: Any) -> None:
        try:
            self._recorder.connection_taken(proxy)
        except Exception as error:  # noqa: BLE001
            self._recorder.fault("recording a connection", error)

    def _session_began(self, session: Session, transaction: SessionTransaction, connection: Connection) -> None:
        try:
            self._recorder.connection_used(connection, session)
        except Exception as error:  # noqa: BLE001
            self._recorder.fault("recording a session's connection", error)
