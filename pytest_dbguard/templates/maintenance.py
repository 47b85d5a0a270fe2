"""Our connections to a server's maintenance database, and the statements about databases that run there."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Server
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.templates.marks import Mark, read_mark

if TYPE_CHECKING:
    from psycopg import Connection

_CONNECT_S = 10
_ATTEMPTS = 3
_GOING = """
    SELECT count(pg_sleep(0.002)) FROM pg_catalog.pg_stat_activity
    WHERE datname = %s AND backend_type = 'client backend'
"""
_ROUNDS = 500
_NEVER_IDLE = 140000  # the version that ends idle sessions if it is told to


@dataclass(frozen=True, slots=True)
class Entry:
    """One database of a server."""

    name: str
    comment: str | None
    is_template: bool

    @property
    def mark(self) -> Mark | None:
        """What its comment says; None for a database that is not ours."""
        return read_mark(self.comment)


class Maintenance:
    """What can be done to databases by name. Any number of threads may use it: each takes a connection of its own."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._idle: deque[Connection] = deque()
        weakref.finalize(self, _close_all, self._idle)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection to the maintenance database, outside a transaction.

        Raises:
            DatabaseError: When the server does not answer, or refuses what the block does.
        """
        import psycopg

        with self.told():
            connection = self._taken()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                self._idle.append(connection)
            else:
                connection.close()

    def connect(self, database: str | None = None) -> Connection:
        """Return a new connection outside a transaction; None means the maintenance database."""
        import psycopg

        url = self.server.url if database is None else self.server.url.set(database=database)
        connection = psycopg.connect(
            connection_string(url), autocommit=True, application_name="dbguard", connect_timeout=_CONNECT_S
        )
        # whatever the server is told about other people's sessions: ours hold locks for as long as the run lasts
        connection.execute("SET statement_timeout = 0; SET lock_timeout = 0; SET client_min_messages = warning")
        if connection.info.server_version >= _NEVER_IDLE:
            connection.execute("SET idle_session_timeout = 0")
        return connection

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn the driver's errors into ours, which show neither passwords nor values."""
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            where = self.server.url.render_as_string(hide_password=True)
            raise DatabaseError(f"{where}: {error.diag.message_primary or str(error).strip()}") from error

    def entries(self) -> list[Entry]:
        """Return all databases of the server, sorted by name."""
        with self.connection() as connection:
            rows = connection.execute(
                "SELECT datname, shobj_description(oid, 'pg_database'), datistemplate FROM pg_catalog.pg_database "
                "ORDER BY datname"
            )
            return [Entry(*row) for row in rows]

    def entry(self, name: str) -> Entry | None:
        """Return a database of the server; None when there is none of that name."""
        with self.connection() as connection:
            row = connection.execute(
                "SELECT datname, shobj_description(oid, 'pg_database'), datistemplate FROM pg_catalog.pg_database "
                "WHERE datname = %s",
                [name],
            ).fetchone()
        return None if row is None else Entry(*row)

    def size_bytes(self, name: str) -> int:
        """Return how much room a database takes; 0 where this role may not know."""
        import psycopg

        try:
            with self.connection() as connection:
                row = connection.execute("SELECT pg_catalog.pg_database_size(%s)", [name]).fetchone()
        except DatabaseError as error:
            if isinstance(error.__cause__, psycopg.OperationalError):
                raise
            return 0
        return int(row[0]) if row else 0

    def run(self, statement: str, *names: str, literal: str | None = None) -> None:
        """Run a statement about databases, `{}` standing for each name and after them for the literal.

        Whoever uses a database that nobody may use meanwhile is waited for, as the server does, three times.
        """
        from psycopg import errors, sql

        parts = [*map(sql.Identifier, names), *([] if literal is None else [sql.Literal(literal)])]
        with self.connection() as connection:
            for attempt in range(_ATTEMPTS):
                try:
                    connection.execute(sql.SQL(statement).format(*parts))
                except (errors.ObjectInUse, errors.InternalError_):
                    # the second: two sessions have changed the same entry of the catalog at once
                    if attempt == _ATTEMPTS - 1:
                        raise
                else:
                    return

    def comment(self, name: str, mark: Mark) -> None:
        """Mark a database."""
        self.run("COMMENT ON DATABASE {} IS {}", name, literal=mark.comment())

    def owned(self, name: str) -> Entry:
        """Return a database of ours.

        Raises:
            DatabaseError: When there is none of that name, or it is not ours.
        """
        entry = self.entry(name)
        if entry is None:
            raise DatabaseError(f"there is no database {name!r} any more", hint="did a test delete it?")
        if entry.mark is None:
            raise DatabaseError(
                f"the database {name!r} is left alone: it does not carry the mark of dbguard",
                hint="dbguard deletes and renames only databases that it has made; their comment says so",
            )
        return entry

    def drop(self, name: str) -> None:
        """Delete a database of ours, with the sessions on it; nothing when there is none."""
        if self.entry(name) is not None:
            self.owned(name)
            self.drop_unseen(name)

    def drop_unseen(self, name: str) -> None:
        """Delete a database that the caller knows to be ours."""
        entry = self.entry(name)
        if entry is not None and entry.is_template:
            self.run("ALTER DATABASE {} IS_TEMPLATE false", name)
        self.run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def rename(self, old: str, new: str) -> None:
        """Rename a database of ours, ending the sessions on it."""
        self.owned(old)
        for attempt in range(_ATTEMPTS):
            self.end_sessions(old)
            try:
                self.run("ALTER DATABASE {} RENAME TO {}", old, new)
            except DatabaseError:
                if attempt == _ATTEMPTS - 1 or self.entry(old) is None:
                    raise
            else:
                return

    def end_sessions(self, name: str) -> None:
        """End all sessions on a database and wait until they are gone.

        The server itself looks every 100 ms only.
        """
        from psycopg import errors

        with self.connection() as connection:
            try:
                ended: Any = connection.execute(
                    "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity "
                    "WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
                    [name],
                )
            except errors.InsufficientPrivilege:
                return  # somebody else's; what comes next says what it cannot do then
            if ended.rowcount:
                for _ in range(_ROUNDS):
                    row = connection.execute(_GOING, [name]).fetchone()
                    if not row or not row[0]:
                        return

    def close(self) -> None:
        """Close the connections that nobody uses."""
        _close_all(self._idle)

    def _taken(self) -> Connection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if self._is_alive(connection):
                return connection
            connection.close()
        return self.connect()

    def _is_alive(self, connection: Connection) -> bool:
        import psycopg

        try:
            connection.execute("")
        except psycopg.Error:
            return False
        return not connection.closed


def _close_all(connections: deque[Connection]) -> None:
    while connections:
        connections.pop().close()
