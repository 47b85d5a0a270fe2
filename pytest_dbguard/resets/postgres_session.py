"""A connection of dbguard's own to one PostgreSQL database, driven right at libpq."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_dbguard.databases.connection_string import connection_string

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult
    from sqlalchemy import URL

Row = tuple[str | None, ...]
Prepare = tuple[str, str]

_LOCK_TROUBLE = frozenset({"55P03", "57014", "40P01"})  # lock_not_available, query_canceled, deadlock_detected
# Whatever the role or the database was given by ALTER ... SET must not reach us, but for search_path: checks and
# generated columns of the tables that we fill may call functions that count on it. In the role of a replica neither
# triggers nor rules nor foreign keys act on what we delete; set once, since setting it drops all cached plans.
_SETTINGS = """
SET client_encoding = 'UTF8'; SET default_transaction_read_only = off;
SET default_transaction_isolation = 'read committed'; SET default_transaction_deferrable = off;
SET statement_timeout = '30s'; SET lock_timeout = '1s'; SET idle_in_transaction_session_timeout = 0;
SET row_security = off; SET synchronous_commit = off; SET synchronize_seqscans = off; SET jit = off;
SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_generic_plan;
SET client_min_messages = error; SET standard_conforming_strings = on
"""


class StatementFailed(Exception):
    """A statement that the server refused, or a server that went away."""

    def __init__(self, sqlstate: str | None, *, is_connected: bool) -> None:
        super().__init__(sqlstate or "the connection is lost")
        self.sqlstate = sqlstate
        self.is_connected = is_connected

    @property
    def is_lock_trouble(self) -> bool:
        """Whether somebody else stood in the way."""
        return self.sqlstate in _LOCK_TROUBLE


class PostgresSession:
    """One connection; every statement of its own transaction.

    Cursors of the driver cost several times what our statements do, hence libpq. It blocks the thread without
    blocking others, and the timeouts bound how long.
    """

    def __init__(self, url: URL) -> None:
        """Connect.

        Raises:
            psycopg.OperationalError: When that is not possible.
        """
        import psycopg
        from psycopg.pq import ExecStatus

        self._connection = psycopg.connect(
            connection_string(url), autocommit=True, application_name="dbguard", connect_timeout=10
        )
        self._pgconn = self._connection.pgconn
        self.pid: int = self._pgconn.backend_pid
        self.version: int = self._connection.info.server_version
        self._prepared: dict[str, str] = {}
        self._good = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
        self._lost = psycopg.OperationalError
        self.run(_SETTINGS)
        self.is_replica = self._become_replica()

    def run(self, statements: str) -> list[Row]:
        """Run statements in one transaction and return the rows of the last one.

        Raises:
            StatementFailed: When one of them fails; none has an effect then.
        """
        return self._rows(lambda: self._pgconn.exec_(statements.encode()))

    def prepare(self, name: str, statement: str) -> None:
        """Have `name` stand for a statement; preparing the same again costs nothing.

        Raises:
            StatementFailed: When the server does not take it.
        """
        if self._prepared.get(name) == statement:
            return
        if name in self._prepared:
            del self._prepared[name]
            self.run(f"DEALLOCATE {name}")
        self._rows(lambda: self._pgconn.prepare(name.encode(), statement.encode()))
        self._prepared[name] = statement

    def call(self, name: str) -> list[Row]:
        """Run a prepared statement and return its rows.

        Raises:
            StatementFailed: When it fails.
        """
        return self._rows(lambda: self._pgconn.exec_prepared(name.encode(), None))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _become_replica(self) -> bool:
        try:
            self.run("SET session_replication_role = replica")
        except StatementFailed:
            return False
        return True

    def _rows(self, execute: Callable[[], PGresult]) -> list[Row]:
        try:
            result = execute()
        except self._lost as error:  # the connection was gone before
            raise StatementFailed(None, is_connected=False) from error
        if result.status not in self._good:
            raise self._failure(result)
        columns = range(result.nfields)
        return [tuple(_text(result.get_value(row, column)) for column in columns) for row in range(result.ntuples)]

    def _failure(self, result: PGresult) -> StatementFailed:
        from psycopg.pq import ConnStatus, DiagnosticField

        sqlstate = result.error_field(DiagnosticField.SQLSTATE)
        is_connected = self._pgconn.status == ConnStatus.OK
        return StatementFailed(None if sqlstate is None else sqlstate.decode(), is_connected=is_connected)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
