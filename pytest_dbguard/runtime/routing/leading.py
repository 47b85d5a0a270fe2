"""Leads the statements of one session, transaction by transaction, to primary or to a replica."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError

from pytest_dbguard.core.errors import DbguardError
from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.routing.positions import LATEST, Position, ensure_trail, trail_of
from pytest_dbguard.runtime.routing.route import Intent, Reader, Route
from pytest_dbguard.runtime.routing.servers import Servers
from pytest_dbguard.runtime.sqlstates import sqlstate_of

_LOG = logging.getLogger("pytest_dbguard.runtime")
_CONFLICT = "40001"
"""SQLSTATE by which a replica cancels a query that is in the way of replay."""


class Leading:
    """Where the statements of one session go, and after which position it reads."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.role: Role | None = None
        """What the session's block asks for."""

        self.position: Position | None = None
        self._route = Route()

    @property
    def primary(self) -> Engine:
        """Primary's engine, the same one for a whole transaction."""
        route = self._route
        if route.engine is None:
            route.engine = self.servers.engine("primary")
        return route.engine

    @property
    def wrote(self) -> bool:
        """Whether the transaction has written, as far as anybody can know."""
        return self._route.wrote

    def only_reads(self, statement: Any, role: str | None) -> bool:
        """Whether a statement only reads: as far as can be seen, or because its author says so by a role."""
        reads = self.servers.manager.replicas.reads
        return reads.is_read(statement, is_trusted=role in ("readonly", "analytics"))

    def read(self, intent: Intent, role: Role | None, needs_one_server: Callable[[], bool]) -> Engine | Connection:
        """Return where a statement that only reads goes."""
        route = self._route
        if role == "analytics":
            return self._analytics()
        if role != "primary" and not route.is_on_primary:
            if route.reader is None and not needs_one_server():
                route.reader = self._open_reader()
            if route.reader is not None:
                intent.reader, intent.is_first = route.reader, not route.reader.is_used
                return route.reader.connection
        route.is_on_primary = True
        return self.primary

    def write(self) -> Engine:
        """Note that the transaction writes, as far as anybody can know; return where."""
        route = self._route
        if not route.wrote:
            route.wrote = route.is_on_primary = True
            route.trail = trail_of(self.servers.manager)
            if route.trail is not None:
                route.trail.writing += 1
        return self.primary

    def may_go_on(self, intent: Intent, error: DBAPIError, *, is_nested: bool) -> bool:
        """Leave the replica that failed a read; return whether the read may be sent elsewhere.

        It may when nothing has been read there before: then no two servers' answers are mixed. In a savepoint the
        session has begun another one on the replica, which nobody could release any more.
        """
        reader = intent.reader
        if reader is None or not (error.connection_invalidated or sqlstate_of(error.orig) == _CONFLICT):
            return False
        if error.connection_invalidated:
            self._leave(reader.target, error)
        if not intent.is_first or is_nested:
            return False
        self._route.failed.append(reader.target)
        self._route.reader = None
        return True

    def began(self, connection: Connection) -> None:
        """Note the transaction's connection to primary; whoever came by it unseen may write on it."""
        route = self._route
        if route.primary is not None or connection.engine is not self.primary:
            return
        route.primary = connection
        route.is_autocommit = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        if not route.is_on_primary:
            self.write()

    def committed(self) -> None:
        """Take the position of a commit that wrote."""
        route = self._route
        route.is_committed = True
        if route.wrote and route.primary is not None and self.servers.manager.replicas.are_there:
            began = self.servers.manager.clock.monotonic()
            try:
                position = self.servers.position_after_commit(route.primary)
            except BaseException:  # the task is cancelled, after it has committed
                self._know(LATEST)
                raise
            if position is not None:
                self._know(position)
            if position is not None and position is not LATEST:
                self.servers.manager.replicas.committed(position, began)

    def ended(self) -> None:
        """Forget a transaction, and give back what it read from."""
        route, self._route = self._route, Route()
        if route.trail is not None:
            route.trail.writing -= 1
        if route.wrote and route.is_autocommit and not route.is_committed:
            self._know(LATEST)
        route.close()

    def _open_reader(self) -> Reader | None:
        route = self._route
        while (name := self._choose()) is not None:
            engine = self.servers.engine("readonly", name)
            if engine is self.primary:
                return None
            try:
                return route.open(engine, name)
            except Exception as error:
                if not _is_unreachable(error):
                    raise
                self._leave(name, error)
                route.failed.append(name)
        return None

    def _choose(self) -> str | None:
        needed, failed = self._needed(), self._route.failed
        if needed is not LATEST:
            return self.servers.choose(needed, failed)
        manager, trail = self.servers.manager, trail_of(self.servers.manager)
        unplaced = 0 if trail is None else trail.unplaced
        began = manager.clock.monotonic()
        name = self.servers.choose(needed, failed)
        if (position := manager.replicas.primary_since(began)) is not None:
            if self.position is LATEST:
                self.position = position
            if trail is not None:
                trail.place(position, unplaced)
        return name

    def _analytics(self) -> Engine | Connection:
        route = self._route
        if route.analytics is None:
            engine = self.servers.engine("analytics")
            if engine is self.primary:
                route.is_on_primary = True
                return engine
            route.analytics = route.open(engine, "analytics")
        return route.analytics.connection

    def _leave(self, name: str, error: Exception) -> None:
        reason = type(getattr(error, "orig", None) or error).__name__
        _LOG.warning("%s does not answer (%s), so that another server is read from", name, reason)
        self.servers.manager.replicas.report_failure(name, reason)

    def _needed(self) -> Position | None:
        trail = trail_of(self.servers.manager)
        needed = None if trail is None else trail.needed
        if needed is None or self.position is None:
            return needed or self.position
        return max(needed, self.position)

    def _know(self, position: Position) -> None:
        self.position = position
        ensure_trail(self.servers.manager).committed(position)


def _is_unreachable(error: Exception) -> bool:
    """Whether a connection could not be opened because of the server.

    A pool that is used up is not among that: what its replica cannot take, primary shall not get on top.
    """
    if isinstance(error, SQLAlchemyError):
        return isinstance(error, DBAPIError | DisconnectionError)
    return not isinstance(error, DbguardError | ImportError)
