"""Puts a fresh database in the place of a used one under the same name, so that its URL stays."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Database
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.resets.base import Ledger
from pytest_dbguard.resets.postgres_spares import Spares
from pytest_dbguard.templates.base import PostgresCopies

if TYPE_CHECKING:
    from psycopg import Connection

_VALID_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Switch:
    """Swaps the database that tests know by one name."""

    def __init__(self, database: Database, copies: PostgresCopies, ledger: Ledger) -> None:
        self._database = database
        self._copies = copies
        self._ledger = ledger
        self._name = str(database.url.database)
        self._spares = Spares(self._name, self._create, copies.drop)

    def swap(self, source: str | None) -> None:
        """Put a copy of `source` (None: of the template) in place, and delete what was there in the background.

        The caller has no connection to it any more; everybody else's are ended.
        """
        old = self._spares.new_name("o")
        self._replace(source, old)
        self._spares.discard(old)
        self._spares.make_ready(source)

    def make_ready(self, source: str | None) -> None:
        """Begin to make the next copy."""
        self._spares.make_ready(source)

    def set_aside(self, name: str, source: str | None) -> str:
        """Keep what is there under another name, put a copy of `source` in place; return the URL of what is kept."""
        kept = name if _VALID_NAME.fullmatch(name) else _name_for(name)
        self._replace(source, kept)
        self._copies.mark_kept(kept, name)
        self._spares.make_ready(source)
        # psql knows no drivers
        url = self._database.url.set(drivername="postgresql", database=kept)
        return str(url.render_as_string(hide_password=True))

    def snapshot(self) -> str:
        """Return the name of a new database that holds what is there now. Nobody may be connected to it."""
        name = self._spares.new_name("s")
        self._ledger.let_go()
        self._copy_of(name, self._name)
        return name

    def discard(self, name: str) -> None:
        """Delete a database in the background."""
        self._spares.discard(name)

    def close(self) -> None:
        """Delete what was made ahead, and end the thread."""
        self._spares.close()

    def _replace(self, source: str | None, old: str) -> None:
        fresh = self._spares.take(source)
        self._ledger.let_go()
        if self._is_there(self._name):
            self._copies.rename(self._name, old)
        self._copies.rename(fresh, self._name)

    def _create(self, name: str, source: str | None) -> None:
        if source is None:
            self._copies.create(name)
        else:
            self._copy_of(name, source)

    def _copy_of(self, name: str, source: str) -> None:
        """Copy a database that is no template of ours; the copy bears the mark that its source has."""
        from psycopg import errors

        with self._maintenance() as connection:
            _end_sessions(connection, source)
            try:
                connection.execute(f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(source)}".encode())
            except errors.ObjectInUse:
                _end_sessions(connection, source)
                connection.execute(f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(source)}".encode())
            mark = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [source]
            ).fetchone()
        if mark and mark[0]:
            self._comment(name, mark[0])

    def _comment(self, name: str, comment: str) -> None:
        from psycopg import sql

        with self._maintenance() as connection:
            connection.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(comment))
            )

    def _is_there(self, name: str) -> bool:
        with self._maintenance() as connection:
            return connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None

    @contextmanager
    def _maintenance(self) -> Iterator[Connection]:
        import psycopg

        url = self._copies.server.url
        dsn = connection_string(url)
        try:
            with psycopg.connect(dsn, autocommit=True, application_name="dbguard", connect_timeout=10) as connection:
                yield connection
        except psycopg.OperationalError as error:
            where = url.render_as_string(hide_password=True)
            raise DatabaseError(
                f"the server at {where} does not do what is asked of it: {str(error).strip()}",
                hint="was it stopped or restarted by a test?",
            ) from error


def _end_sessions(connection: Connection, database: str) -> None:
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
        [database],
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _name_for(test: str) -> str:
    """Return a name for the database of a test: what is readable of the test, and something that makes it its own."""
    slug = re.sub(r"[^a-z0-9]+", "_", test.rpartition("::")[2].lower()).strip("_")
    return f"dbguard_kept_{slug[:38]}_{secrets.token_hex(4)}"
