"""A session whose reads go to replicas and whose writes go to primary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, UnboundExecutionError
from sqlalchemy.orm import Session, SessionTransaction

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.routing.leading import Leading
from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.route import Intent, known_role, role_of
from pytest_dbguard.runtime.routing.seams import RoutedManager
from pytest_dbguard.runtime.routing.servers import Servers

_INTENT: Final = "dbguard_intent"
_ONE_SNAPSHOT: Final = ("REPEATABLE READ", "SERIALIZABLE")
_NO_OPTIONS: Final[Mapping[str, Any]] = {}


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

    _servers: type[Servers] = Servers

    def __init__(self, manager: RoutedManager, **options: Any) -> None:
        """Take options as SQLAlchemy's `Session` does."""
        self._leading = Leading(self._servers(manager))
        self._has_binds = bool(options.get("binds"))
        super().__init__(**options)

    @property
    def position(self) -> Position | None:
        """Return where primary's log was after this session's last commit that wrote.

        None before, and where there are no replicas, or none that follow a log of PostgreSQL's.
        """
        return self._leading.position

    @contextmanager
    def using(self, role: Role) -> Iterator[None]:
        """Lead the block's statements to a role, except those that write.

        Raises:
            ValueError: For a role that does not exist.
        """
        before, self._leading.role = self._leading.role, known_role(role)
        try:
            yield
        finally:
            self._leading.role = before

    # their types are SQLAlchemy's: overloads repeated here would only go out of date
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
        if self.bind is None and not (bind_arguments and bind_arguments.get("bind")):
            self._leading.write()
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
            if intent is not None and bind is self._leading.primary and not self._leading.only_reads(clause, None):
                self._leading.write()
            return bind
        if self.bind is not None:
            return super().get_bind(mapper, clause=clause, **given)
        if self._has_binds and (bound := self._bound(mapper, clause)) is not None:
            return bound
        if self._flushing:
            return self._leading.write()
        if intent is None:
            return self._leading.primary
        # of a UNION of entities SQLAlchemy tells nothing
        statement = intent.statement if clause is None else clause
        role = intent.role or self._role_of(statement)
        # nothing can lead elsewhere what follows a write, but that role
        if role != "analytics" and self._leading.wrote:
            return self._leading.primary
        if not self._leading.only_reads(statement, role):
            return self._leading.write()
        return self._leading.read(intent, role, self._needs_one_server)

    def _routed(self, send: Callable[..., Any], statement: Any, params: Any, given: dict[str, Any]) -> Any:
        bind_arguments = given.get("bind_arguments") or {}
        while True:
            intent = Intent(statement, role_of(given.get("execution_options")))
            given["bind_arguments"] = {**bind_arguments, _INTENT: intent}
            try:
                result = send(statement, params, **given)
            except DBAPIError as error:
                if not self._leading.may_go_on(intent, error, is_nested=self.in_nested_transaction()):
                    raise
            else:
                if intent.reader is not None:
                    intent.reader.is_used = True
                return result
            finally:
                self._end_unbegun()

    def _role_of(self, statement: Any) -> Role | None:
        own = statement.get_execution_options() if hasattr(statement, "get_execution_options") else None
        return role_of(own) or self._leading.role or role_of(self._options)

    @property
    def _options(self) -> Mapping[str, Any]:
        """The execution options of the session, which it has from SQLAlchemy 2.1 on."""
        options: Mapping[str, Any] = getattr(self, "execution_options", _NO_OPTIONS)
        return options

    def _needs_one_server(self) -> bool:
        """Whether one snapshot, or one decision of two phases, is to cover the whole transaction."""
        if self.twophase or "isolation_level" in self._options:
            return True
        engine = self._leading.primary
        asked = engine.get_execution_options().get("isolation_level") or engine.dialect._on_connect_isolation_level
        return str(asked).upper() in _ONE_SNAPSHOT

    def _bound(self, mapper: Any, clause: Any) -> Engine | Connection | None:
        try:
            return super().get_bind(mapper, clause=clause)
        except UnboundExecutionError:
            return None

    def _end_unbegun(self) -> None:
        """Forget what a call has prepared that did not come to begin a transaction."""
        if not self.in_transaction():
            self._leading.ended()


@event.listens_for(RoutingSession, "after_begin")
def _note_beginning(session: RoutingSession, _transaction: SessionTransaction, connection: Connection) -> None:
    if session.bind is None:
        session._leading.began(connection)


@event.listens_for(RoutingSession, "after_commit")
def _note_commit(session: RoutingSession) -> None:
    if not session.in_nested_transaction():
        session._leading.committed()


@event.listens_for(RoutingSession, "after_transaction_end")
def _note_end(session: RoutingSession, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session._leading.ended()
