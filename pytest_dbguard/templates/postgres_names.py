"""Makes, renames and drops databases by name on a PostgreSQL server; refuses those without our mark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Server
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.templates.marks import Mark, read_mark, today

if TYPE_CHECKING:
    from psycopg import Connection

_CONNECT_S = 10
_FILE_COPY_BYTES = 64 << 20
_STRATEGY_SINCE = 15
_TRIES = 5
_MARKED = """
SELECT d.datname, shobj_description(d.oid, 'pg_database'), d.datistemplate, pg_database_size(d.oid),
       (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid AND a.backend_type = 'client backend')
FROM pg_database d WHERE d.datname LIKE 'dbguard%' ORDER BY d.datname
"""


@dataclass(frozen=True, slots=True)
class Named:
    """A database of ours on a server."""

    name: str
    mark: Mark
    is_template: bool
    size_bytes: int
    sessions: int


@contextmanager
def maintenance(server: Server) -> Iterator[Connection]:
    """Give a connection to the maintenance database, outside of any transaction.

    Raises:
        DatabaseError: When the server does not answer or refuses something, without passwords or values.
    """
    import psycopg

    try:
        with psycopg.connect(
            connection_string(server.url), autocommit=True, application_name="dbguard", connect_timeout=_CONNECT_S
        ) as connection:
            yield connection
    except psycopg.Error as error:
        where = server.url.render_as_string(hide_password=True)
        text = next(iter(str(error).splitlines()), type(error).__name__)
        raise DatabaseError(f"the server at {where} does not do what is asked of it: {text}") from error


class PostgresNames:
    """Databases of ours on one server."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def all(self) -> list[Named]:
        """Return all databases that carry our mark."""
        with maintenance(self.server) as connection:
            rows = connection.execute(_MARKED.encode()).fetchall()
        return [Named(row[0], mark, *row[2:]) for row in rows if (mark := read_mark(row[1])) is not None]

    def create(self, name: str, template: str | None, mark: Mark) -> None:
        """Make a database, empty or from a template; nobody may be connected to that."""
        with maintenance(self.server) as connection:
            self._create(connection, name, template)
            _execute(connection, "COMMENT ON DATABASE {} IS {}", _name(name), _text(mark.text()))

    def rename(self, old: str, new: str) -> None:
        """Rename a database, ending whatever session is on it.

        Raises:
            DatabaseError: When it does not carry our mark.
        """
        from psycopg import errors

        with maintenance(self.server) as connection:
            self._mark_of(connection, old)
            for attempt in range(_TRIES):
                _end_sessions(connection, old)
                try:
                    _execute(connection, "ALTER DATABASE {} RENAME TO {}", _name(old), _name(new))
                except errors.ObjectInUse:  # somebody was faster to come than the session to go
                    if attempt == _TRIES - 1:
                        raise
                else:
                    return

    def drop(self, name: str) -> None:
        """Delete a database with the sessions on it; nothing when there is none.

        Raises:
            DatabaseError: When it does not carry our mark.
        """
        with maintenance(self.server) as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                return
            self._mark_of(connection, name)
            _execute(connection, "ALTER DATABASE {} IS_TEMPLATE false", _name(name))
            _execute(connection, "DROP DATABASE IF EXISTS {} WITH (FORCE)", _name(name))

    def mark_kept(self, name: str, test: str) -> None:
        """Note that a database is kept for a test."""
        with maintenance(self.server) as connection:
            mark = replace(self._mark_of(connection, name), kind="kept", test=test, used=today())
            _execute(connection, "COMMENT ON DATABASE {} IS {}", _name(name), _text(mark.text()))

    def _create(self, connection: Connection, name: str, template: str | None) -> None:
        if template is None:
            _execute(connection, "CREATE DATABASE {}", _name(name))
            return
        strategy = " STRATEGY file_copy" if self._copies_files(connection, template) else ""
        _execute(connection, "CREATE DATABASE {} TEMPLATE {}" + strategy, _name(name), _name(template))

    def _copies_files(self, connection: Connection, template: str) -> bool:
        """Tell whether to copy file by file: it costs two checkpoints, which are free on a server without fsync."""
        if int(self.server.version.partition(".")[0]) < _STRATEGY_SINCE:
            return False
        if self.server.is_ours:
            return True
        row = connection.execute("SELECT pg_database_size(%s)", [template]).fetchone()
        return row is not None and row[0] > _FILE_COPY_BYTES

    def _mark_of(self, connection: Connection, name: str) -> Mark:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        mark = read_mark(row[0]) if row else None
        if mark is None:
            raise DatabaseError(
                f"the database {name!r} is not dbguard's own, and is left alone",
                hint="databases of dbguard carry a comment that says so; see: dbguard db list",
            )
        return mark


def _end_sessions(connection: Connection, name: str) -> None:
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", [name]
    )


def _execute(connection: Connection, statement: str, *parts: Any) -> None:
    from psycopg import sql

    connection.execute(sql.SQL(statement).format(*parts))


def _name(name: str) -> Any:
    from psycopg import sql

    return sql.Identifier(name)


def _text(text: str) -> Any:
    from psycopg import sql

    return sql.Literal(text)
