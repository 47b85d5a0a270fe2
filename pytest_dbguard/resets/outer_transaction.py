"""One transaction around all that a test does on a connection; the test's own transactions are savepoints in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import Engine

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.resets.sequences import Sequences

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SAVEPOINT = "dbguard"
_FAILED_TRANSACTION = "25P02"  # PostgreSQL's in_failed_sql_transaction


class OuterTransaction:
    """Puts BEGIN, COMMIT and ROLLBACK of one engine a level down while a test runs.

    This is SQLAlchemy's recipe "join a session into an external transaction", done in the engine's dialect instead
    of the session. So `Connection.commit()`, sessions of the application's own making and `create_savepoint` all
    work, and listeners see a commit as a commit. The engine must have a `StaticPool` that resets nothing on return.

    Known limits, as of every rollback: `now()` stands still, deferred constraints are not checked, other
    connections see nothing of it.
    """

    def __init__(self, engine: Engine) -> None:
        dialect = engine.dialect
        self._begin: Callable[[Any], None] = dialect.do_begin
        self._commit: Callable[[Any], None] = dialect.do_commit
        self._rollback: Callable[[Any], None] = dialect.do_rollback
        self._open = False
        self._sequences = Sequences() if dialect.name == "postgresql" else None
        dialect.do_begin = self._begin_inside  # type: ignore[method-assign]
        dialect.do_commit = self._commit_inside  # type: ignore[method-assign]
        dialect.do_rollback = self._rollback_inside  # type: ignore[method-assign]
        dialect.set_isolation_level = _refuse_isolation_level  # type: ignore[method-assign, assignment]

    def open(self, connection: Connection) -> None:
        """Begin the outer transaction, before the test uses the connection."""
        dbapi_connection = connection.connection
        self._begin(dbapi_connection)
        if self._sequences is not None:
            self._sequences.remember(dbapi_connection)
        self._open = True

    def close(self, connection: Connection) -> None:
        """Roll the outer transaction back, on any connection of the same engine."""
        self._open = False
        dbapi_connection = connection.connection
        self._rollback(dbapi_connection)
        if self._sequences is not None:
            self._sequences.restore(dbapi_connection)
            self._rollback(dbapi_connection)

    def _begin_inside(self, dbapi_connection: Any) -> None:
        if self._open:
            _run(dbapi_connection, f"SAVEPOINT {_SAVEPOINT}")
        else:
            self._begin(dbapi_connection)

    def _commit_inside(self, dbapi_connection: Any) -> None:
        if not self._open:
            self._commit(dbapi_connection)
            return
        try:
            _run(dbapi_connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")
        except Exception as error:
            # COMMIT of a failed transaction is a silent ROLLBACK in PostgreSQL; RELEASE is an error.
            if getattr(error, "sqlstate", None) != _FAILED_TRANSACTION:
                raise
            self._rollback_inside(dbapi_connection)

    def _rollback_inside(self, dbapi_connection: Any) -> None:
        if not self._open:
            self._rollback(dbapi_connection)
            return
        _run(dbapi_connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        _run(dbapi_connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")


def _run(dbapi_connection: Any, command: str) -> None:
    """Run a command below SQLAlchemy, where no listener counts it."""
    cursor = dbapi_connection.cursor()
    try:
        cursor.execute(command)
    finally:
        cursor.close()


def _refuse_isolation_level(_dbapi_connection: Any, level: object) -> NoReturn:
    raise DatabaseError(
        f"the isolation level of a connection that is rolled back after the test cannot become {level!r}",
        hint="use a connection of dbguard_engine for that; what it commits stays",
    )
