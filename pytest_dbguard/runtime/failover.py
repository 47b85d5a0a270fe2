"""Notices servers that no longer do what their role needs, so that nothing keeps using connections to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from pytest_dbguard.runtime import sqlstates
from pytest_dbguard.runtime.events import ErrorEvent, Events, FailoverEvent
from pytest_dbguard.runtime.read_only import READ_ONLY

if TYPE_CHECKING:
    from pytest_dbguard.runtime.settings import Target

_ATTEMPT = "dbguard_connection_attempt"
_LOST = "lost"
_NO_CONNECTION = "no connection could be opened"
_SETTING = "target_session_attrs"
_TOLD_AT_CONNECT = ("default_transaction_read_only", "in_hot_standby")
"""What PostgreSQL from version 14 on tells each new connection without being asked."""


class Failover:
    """Looks at each error of one engine, and at each new connection after one."""

    def __init__(self, target: Target, events: Events) -> None:
        self._target = target
        self._events = events
        # changed by single calls only, which need no lock: a forked child could not unlock one
        self._failing: dict[str, object] = {}

    def watch(self, engine: Engine) -> None:
        """Listen to an engine."""
        event.listen(engine, "handle_error", self.failed)
        event.listen(engine, "connect", self.connected)
        dialect = engine.dialect
        connect = dialect.connect

        def dbguard_connect(*args: Any, **options: Any) -> Any:
            try:
                return connect(*args, **options)
            except dialect.loaded_dbapi.Error:
                raise
            except Exception as error:
                # asyncpg's own, and the system's: SQLAlchemy tells nobody of them
                self._could_not_connect(error)
                raise

        dialect.connect = dbguard_connect  # type: ignore[method-assign]

    def failed(self, context: ExceptionContext) -> None:
        """Have connections replaced that are of no use any more."""
        error = context.original_exception
        if not isinstance(error, Exception):
            return  # the application's own: a task cancelled, a program interrupted
        sqlstate = sqlstates.sqlstate_of(error)
        if sqlstate == sqlstates.READ_ONLY and self._should_write(context.connection):
            context.is_disconnect = True
            self._fails(sqlstate, "primary refuses to write", sqlstate)
        elif sqlstates.is_server_gone(sqlstate):
            context.is_disconnect = True
            self._fails(_LOST, "the server ends its connections, or lets nobody in", sqlstate)
        elif sqlstates.is_one_connection(sqlstate):
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False
        elif context.connection is None and not context.is_pre_ping:
            self._fails(_LOST, _NO_CONNECTION, sqlstate)
        elif context.is_disconnect:
            self._fails(_LOST, "a connection broke", sqlstate)
        if context.connection is None:
            setattr(error, _ATTEMPT, True)
        self._tell_error(error, sqlstate, is_disconnect=context.is_disconnect)

    def _could_not_connect(self, error: Exception) -> None:
        setattr(error, _ATTEMPT, True)
        sqlstate = sqlstates.sqlstate_of(error)
        self._fails(_LOST, _NO_CONNECTION, sqlstate)
        self._tell_error(error, sqlstate, is_disconnect=False)

    def connected(self, _dbapi_connection: Any, record: Any) -> None:
        """Tell when a server that failed is of use again."""
        if not self._failing:
            return
        was_lost = self._failing.pop(_LOST, None)
        if sqlstates.READ_ONLY in self._failing and refuses_writes(record.driver_connection):
            return
        was_read_only = self._failing.pop(sqlstates.READ_ONLY, None)
        if was_lost or was_read_only:
            self._tell("of use again", None)

    def _should_write(self, connection: Connection | None) -> bool:
        if self._target.role != "primary" or connection is None:
            return False
        if connection.get_execution_options().get(READ_ONLY) or connection.invalidated:
            return False
        # psycopg's own way to say it; other drivers have none that is not SQL
        return not getattr(connection.connection.driver_connection, "read_only", None)

    def _fails(self, kind: str, reason: str, sqlstate: str | None) -> None:
        mine = object()
        if self._failing.setdefault(kind, mine) is mine:
            self._tell(reason, sqlstate)

    def _tell(self, reason: str, sqlstate: str | None) -> None:
        self._events.emit("failover", FailoverEvent(self._target.role, self._target.name, reason, sqlstate))

    def _tell_error(self, error: BaseException, sqlstate: str | None, *, is_disconnect: bool) -> None:
        if self._events.has("error"):
            name = type(error).__name__
            happened = ErrorEvent(self._target.role, self._target.name, name, sqlstate, is_disconnect)
            self._events.emit("error", happened)


def was_attempt(error: BaseException) -> bool:
    """Whether an error, or what it was raised from, is that of opening a connection: nothing was executed."""
    return any(hasattr(each, _ATTEMPT) for each in sqlstates.causes(error))


def refuses_writes(driver_connection: Any) -> bool:
    """Whether the server told the connection that it is a standby or read-only; asks nothing."""
    return any(_told(driver_connection, name) == "on" for name in _TOLD_AT_CONNECT)


def follow_primary(url: URL) -> URL:
    """Have a URL of several servers lead to the one that may write, unless it says otherwise itself."""
    hosts = url.query.get("host", url.host or "")
    several = isinstance(hosts, tuple) or "," in hosts
    if url.get_backend_name() != "postgresql" or not several or _SETTING in url.query:
        return url
    return url.update_query_dict({_SETTING: "read-write"})


def _told(connection: Any, name: str) -> str | None:
    if hasattr(connection, "pgconn"):
        value = connection.pgconn.parameter_status(name.encode())
        return None if value is None else value.decode()
    if hasattr(connection, "get_parameter_status"):
        told: str | None = connection.get_parameter_status(name)
        return told
    if hasattr(connection, "get_settings"):
        return getattr(connection.get_settings(), name, None)
    return None
