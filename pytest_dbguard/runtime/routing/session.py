"""A session whose reads go to replicas and whose writes go to primary."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError, UnboundExecutionError
from sqlalchemy.orm import Session, SessionTransaction

from pytest_dbguard.core.errors import DbguardError
from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.routing.positions import LATEST, Position, ensure_trail, trail_of
from pytest_dbguard.runtime.routing.route import Intent, Reader, Route, known_role, role_of
from pytest_dbguard.runtime.routing.seams import RoutedManager
from pytest_dbguard.runtime.routing.taking import take_position

_LOG = logging.getLogger("pytest_dbguard.runtime")
_INTENT = "dbguard_intent"
_NO_OPTIONS: Final[Mapping[str, Any]] = {}
_ONE_SNAPSHOT = ("REPEATABLE READ", "SERIALIZABLE")
_CONFLICT = "40001"
"""SQLSTATE by which a replica cancels a query that is in the way of replay."""


class RoutingSession(Session):
    """A session whose reads go to replicas and whose writes go to primary; by one transaction on each at the most.

    - What only reads goes to a replica, the same one for the whole transaction. Which statements that are is told at
      `Reads`: SQL text is not among them, unless it says so by the option below.
    - All else goes to primary: flushes, DML, DDL, FOR UPDATE, `connection()`. So does all that follows in the same
      transaction, and everything where the session or primary's engine asks for REPEATABLE READ or more, or for two
      phases: one snapshot cannot span two servers.
    - After a commit that wrote, `position` says where primary's log was. This session, and all that share its
      context (see `position_scope`), then read from a replica only when it has replayed as much, and wait for that
      for `routing.wait_s` before they go to primary.
    - A replica that cannot be reached, or that breaks off the first read of a transaction, is left: the same call
      goes on with another one, or with primary. Later reads of the transaction raise what happened.
    - `with session.using("analytics"):` and the execution option `dbguard_role` (of a statement, or of a call) lead
      to a role: "primary"; "readonly" for SQL text that only reads; or "analytics", which may lag behind as it likes.
      Neither leads a write elsewhere than to primary.

    What was read from a replica may be as old as `routing.max_lag_s`: to change a row by what was read of it, read it
    by `with_for_update` or within `using("primary")`, or have a `version_id_col`.

    Where the session is given a `bind`, that is used for everything; what `binds` names goes there.
    """

    _manager: RoutedManager

    def __init__(self, manager: RoutedManager, **options: Any) -> None:
        """Take options as SQLAlchemy's `Session` does."""
        self._manager = manager
        self._route = Route()
        self._role: Role | None = None
        self._has_binds = bool(options.get("binds"))
        self._position: Position | None = None
        super().__init__(**options)

    @property
    def position(self) -> Position | None:
        """Return where primary's log was after this session's last commit that wrote; None before."""
        return self._position

    @contextmanager
    def using(self, role: Role) -> Iterator[None]:
        """Lead the block's statements to a role, except those that write.

        Raises:
            ValueError: For a role that does not exist.
        """
        before, self._role = self._role, known_role(role)
        try:
            yield
        finally:
            self._role = before

    # Their types are SQLAlchemy's: to repeat its overloads would only hide them from who uses the session.
    if not TYPE_CHECKING:

        def execute(self, statement: Any, params: Any = None, **given: Any) -> Any:
            """Execute a statement where it belongs; as `Session.execute` does."""
            return self._routed(super().execute, statement, params, given)

        def scalar(self, statement: Any, params: Any = None, **given: Any) -> Any:
            """Return the first value of a statement, executed where it belongs; as `Session.scalar` does."""
            return self._routed(super().scalar, statement, params, given)

        def scalars(self, statement: Any, params: Any = None, **given: Any) -> Any:
            """Return the first values of a statement's rows, executed where it belongs; as `Session.scalars` does."""
            return self._routed(super().scalars, statement, params, given)

    def connection(self, bind_arguments: Any = None, execution_options: Any = None) -> Connection:
        """Return the connection to primary: what is done on it nobody sees here, so that it counts as a write."""
        if not (bind_arguments and bind_arguments.get("bind")):
            self._write()
        try:
            return super().connection(bind_arguments, execution_options)
        finally:
            self._end_unbegun()

    def bind_mapper(self, mapper: Any, bind: Any) -> None:
        """Lead what concerns a mapper elsewhere; as `Session.bind_mapper` does."""
        self._has_binds = True
        super().bind_mapper(mapper, bind)

    def bind_table(self, table: Any, bind: Any) -> None:
        """Lead what concerns a table elsewhere; as `Session.bind_table` does."""
        self._has_binds = True
        super().bind_table(table, bind)

    def get_bind(
        self, mapper: Any = None, *, clause: Any = None, bind: Engine | Connection | None = None, **given: Any
    ) -> Engine | Connection:
        """Return where a statement goes; primary's engine where nothing is being executed."""
        intent: Intent | None = given.pop(_INTENT, None)
        if bind is not None:
            if intent is not None and bind is self._primary() and not self._only_reads(clause, None):
                self._write()
            return bind
        if self.bind is not None:
            return super().get_bind(mapper, clause=clause, **given)
        if self._has_binds and (bound := self._bound(mapper, clause)) is not None:
            return bound
        if self._flushing:
            return self._write()
        if intent is None:
            return self._primary()
        # of a UNION of entities SQLAlchemy tells nothing
        return self._lead(intent, intent.statement if clause is None else clause)

    def _routed(self, send: Callable[..., Any], statement: Any, params: Any, given: dict[str, Any]) -> Any:
        bind_arguments, options = given.get("bind_arguments") or {}, given.get("execution_options")
        while True:
            intent = Intent(statement, None if options is None else role_of(options))
            given["bind_arguments"] = {**bind_arguments, _INTENT: intent}
            try:
                result = send(statement, params, **given)
            except DBAPIError as error:
                if not self._may_go_on(intent, error):
                    raise
                continue
            finally:
                self._end_unbegun()
            if intent.reader is not None:
                intent.reader.is_used = True
            return result

    def _lead(self, intent: Intent, clause: Any) -> Engine | Connection:
        role = intent.role or self._role_of_statement(clause)
        if not self._only_reads(clause, role):
            return self._write()
        route = self._route
        if role == "analytics":
            return self._analytics()
        if role == "primary" or route.is_on_primary or self._needs_one_server():
            route.is_on_primary = True
            return self._primary()
        if route.reader is None:
            route.reader = self._open_reader()
        if route.reader is None:
            route.is_on_primary = True
            return self._primary()
        intent.reader, intent.is_first = route.reader, not route.reader.is_used
        return route.reader.connection

    def _role_of_statement(self, clause: Any) -> str | None:
        own = role_of(clause.get_execution_options()) if hasattr(clause, "get_execution_options") else None
        return own or self._role or role_of(getattr(self, "execution_options", _NO_OPTIONS))

    def _only_reads(self, clause: Any, role: str | None) -> bool:
        return self._manager.replicas.reads.is_read(clause, is_trusted=role in ("readonly", "analytics"))

    def _needs_one_server(self) -> bool:
        """Whether one snapshot, or one decision of two phases, is to cover the whole transaction."""
        if self.twophase or "isolation_level" in getattr(self, "execution_options", _NO_OPTIONS):
            return True
        engine = self._primary()
        asked = engine.get_execution_options().get("isolation_level") or engine.dialect._on_connect_isolation_level
        return str(asked).upper() in _ONE_SNAPSHOT

    def _open_reader(self) -> Reader | None:
        route = self._route
        while (name := self._choose(self._needed(), route.failed)) is not None:
            engine = self._engine("readonly", name)
            if engine is self._primary():
                return None
            try:
                return route.open(engine, name)
            except Exception as error:
                if not _is_unreachable(error):
                    raise
                self._leave(name, error)
        return None

    def _analytics(self) -> Engine | Connection:
        route = self._route
        if route.analytics is None:
            engine = self._engine("analytics", None)
            if engine is self._primary():
                route.is_on_primary = True
                return engine
            route.analytics = route.open(engine, "analytics")
        return route.analytics.connection

    def _may_go_on(self, intent: Intent, error: DBAPIError) -> bool:
        """Leave the replica that failed a read; return whether the read may be sent elsewhere.

        It may when nothing has been read there before: then no two servers' answers are mixed. In a savepoint the
        session has begun another one on the replica, which nobody could release any more.
        """
        reader = intent.reader
        if reader is None or not (error.connection_invalidated or _sqlstate(error) == _CONFLICT):
            return False
        if error.connection_invalidated:
            self._leave(reader.target, error)
        if not intent.is_first or self.in_nested_transaction():
            return False
        self._route.failed.append(reader.target)
        self._route.reader = None
        return True

    def _leave(self, name: str, error: Exception) -> None:
        self._route.failed.append(name)
        reason = type(getattr(error, "orig", None) or error).__name__
        _LOG.warning("%s does not answer (%s), so that another server is read from", name, reason)
        self._manager.replicas.report_failure(name, reason)

    def _needed(self) -> Position | None:
        trail = trail_of(self._manager)
        known = (self._position, None if trail is None else trail.needed)
        return max((position for position in known if position is not None), default=None)

    def _write(self) -> Engine:
        route = self._route
        if not route.wrote:
            route.wrote = route.is_on_primary = True
            route.trail = trail_of(self._manager)
            if route.trail is not None:
                route.trail.writing += 1
        return self._primary()

    def _primary(self) -> Engine:
        route = self._route
        if route.engine is None:
            route.engine = self._engine("primary", None)
        return route.engine

    def _bound(self, mapper: Any, clause: Any) -> Engine | Connection | None:
        try:
            return super().get_bind(mapper, clause=clause)
        except UnboundExecutionError:
            return None

    # what the asynchronous session does in another way

    def _engine(self, role: Role, target: str | None) -> Engine:
        return self._manager.engine(role, target=target)

    def _choose(self, needed: Position | None, without: list[str]) -> str | None:
        return self._manager.replicas.choose(needed, without=without)

    _is_async = False

    # what happens to the transaction

    def _began(self, connection: Connection) -> None:
        route = self._route
        if self.bind is not None or route.primary is not None or connection.engine is not self._primary():
            return
        route.primary = connection
        route.is_autocommit = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        if not route.is_on_primary:
            self._write()

    def _committed(self) -> None:
        route = self._route
        if not route.wrote or route.primary is None or self.in_nested_transaction():
            return
        route.is_committed = True
        if self._manager.replicas.are_there:
            self._know(LATEST)
            position = take_position(route.primary, is_async=self._is_async)
            self._know(position)

    def _know(self, position: Position | None) -> None:
        self._position = position
        if position is not None:
            ensure_trail(self._manager).committed(position)
            if position is not LATEST:
                self._manager.replicas.committed(position)

    def _ended(self) -> None:
        route, self._route = self._route, Route()
        if route.trail is not None:
            route.trail.writing -= 1
        if route.is_autocommit and route.wrote and not route.is_committed:
            self._know(LATEST)
        route.close()

    def _end_unbegun(self) -> None:
        """Forget what a call has prepared that did not come to begin a transaction."""
        if not self.in_transaction():
            self._ended()


@event.listens_for(RoutingSession, "after_begin")
def _note_beginning(session: RoutingSession, _transaction: SessionTransaction, connection: Connection) -> None:
    session._began(connection)


@event.listens_for(RoutingSession, "after_commit")
def _note_commit(session: RoutingSession) -> None:
    session._committed()


@event.listens_for(RoutingSession, "after_transaction_end")
def _note_end(session: RoutingSession, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session._ended()


def _is_unreachable(error: Exception) -> bool:
    """Whether a connection could not be opened because of the server.

    A pool that is used up is not among that: what its replica cannot take, primary shall not get on top.
    """
    if isinstance(error, SQLAlchemyError):
        return isinstance(error, DBAPIError | DisconnectionError)
    return not isinstance(error, DbguardError | ImportError)


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
