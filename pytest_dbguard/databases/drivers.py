"""What can be known of a driver's connection and done to it from outside, at once, without awaiting or blocking."""

from __future__ import annotations

import contextlib
import gc
import inspect
import os
import select
import socket
import sqlite3
from collections.abc import Callable, Mapping
from functools import partial
from threading import Event
from types import MappingProxyType
from typing import Any, ClassVar

_WAIT_S = 2.0
"""How long another thread may take to let a connection go, before it counts as busy."""


class Driver:
    """A database driver of which nothing is known: its connections are busy, and end with their server."""

    name: ClassVar[str] = ""

    def database(self, dbapi_connection: Any) -> str | None:
        """Return the database that a connection leads to: name or file. May send a statement and roll it back."""
        return None

    def backend(self, connection: Any) -> int | None:
        """Return the process number of the server's side."""
        return None

    def is_busy(self, connection: Any) -> bool:
        """Whether somebody is waiting for an answer on it."""
        return True

    def is_open(self, connection: Any) -> bool:
        """Whether a transaction is open."""
        return False

    def roll_back(self, connection: Any, *, unfinished: bool = False) -> bool:
        """Roll back what is open; False when that cannot be done from here.

        Args:
            connection: The driver's connection.
            unfinished: Whether its holder may have statements on it that it does not read to their end.
        """
        return False

    def resume(self, connection: Any) -> None:
        """Let the holder go on after `roll_back`, where the driver does not begin transactions by itself."""

    def end(self, connection: Any) -> bool:
        """Close it, wherever its event loop is; False when that cannot be done from here."""
        return False

    def refused(self, connection: Any) -> str | None:
        """Return what COMMIT would refuse in the open transaction, without values; None when nothing is known."""
        return None


class Psycopg(Driver):
    """Version 3, synchronous and asynchronous: libpq's own connection below answers both."""

    name = "psycopg"

    def database(self, dbapi_connection: Any) -> str | None:
        """Return the name of the database."""
        name: str = dbapi_connection.info.dbname
        return name

    def backend(self, connection: Any) -> int | None:
        """Return the process number of the server's side."""
        return None if connection.closed else connection.info.backend_pid

    def is_busy(self, connection: Any) -> bool:
        """Whether a thread or task holds its lock or waits for an answer."""
        return bool(connection.lock.locked() or int(connection.pgconn.transaction_status) == 1)

    def is_open(self, connection: Any) -> bool:
        """Whether a transaction is open."""
        return int(connection.pgconn.transaction_status) in (2, 3)

    def roll_back(self, connection: Any, *, unfinished: bool = False) -> bool:
        """Roll back through the driver where it is synchronous, else with libpq."""
        if self.is_busy(connection):
            return False
        if self.is_open(connection):
            if inspect.iscoroutinefunction(connection.rollback):
                connection.pgconn.exec_(b"ROLLBACK")
            else:
                connection.rollback()
        return not self.is_open(connection)

    def end(self, connection: Any) -> bool:
        """Roll back and close libpq's connection, unless somebody waits on it."""
        if self.is_busy(connection):
            return False
        if self.is_open(connection):
            connection.pgconn.exec_(b"ROLLBACK")
        connection.pgconn.finish()
        return True

    def refused(self, connection: Any) -> str | None:
        """Check what is deferred; the answer names constraint and table."""
        if int(connection.pgconn.transaction_status) != 2 or self.is_busy(connection):
            return None
        pgconn = connection.pgconn
        pgconn.exec_(b"SAVEPOINT dbguard_deferred")
        result = pgconn.exec_(b"SET CONSTRAINTS ALL IMMEDIATE")
        constraint, table = (result.error_field(field) for field in (ord("n"), ord("t")))
        pgconn.exec_(b"ROLLBACK TO SAVEPOINT dbguard_deferred")
        pgconn.exec_(b"RELEASE SAVEPOINT dbguard_deferred")
        return (
            None if constraint is None else f"constraint {constraint.decode()!r} of table {(table or b'?').decode()!r}"
        )


class Psycopg2(Driver):
    """The older psycopg."""

    name = "psycopg2"

    def database(self, dbapi_connection: Any) -> str | None:
        """Return the name of the database."""
        name: str = dbapi_connection.info.dbname
        return name

    def backend(self, connection: Any) -> int | None:
        """Return the process number of the server's side."""
        return None if connection.closed else connection.get_backend_pid()

    def is_busy(self, connection: Any) -> bool:
        """Whether a thread waits for an answer."""
        return bool(connection.get_transaction_status() == 1)

    def is_open(self, connection: Any) -> bool:
        """Whether a transaction is open."""
        return connection.get_transaction_status() in (2, 3)

    def roll_back(self, connection: Any, *, unfinished: bool = False) -> bool:
        """Roll back, unless a thread waits on it."""
        if self.is_busy(connection):
            return False
        connection.rollback()
        return True

    def end(self, connection: Any) -> bool:
        """Close it, unless a thread waits on it."""
        if self.is_busy(connection):
            return False
        connection.close()
        return True


class Pg8000(Driver):
    """pg8000, which does not tell whether a thread waits on it."""

    name = "pg8000"

    def database(self, dbapi_connection: Any) -> str | None:
        """Ask the server for the name of the database."""
        return _asked(dbapi_connection, "SELECT current_database()", 0)

    def backend(self, connection: Any) -> int | None:
        """Return the process number of the server's side."""
        key: bytes | None = getattr(connection, "_backend_key_data", None)
        return None if key is None else int.from_bytes(key[:4], "big")

    def is_busy(self, connection: Any) -> bool:
        """Say no: there is no way to know."""
        return False

    def is_open(self, connection: Any) -> bool:
        """Whether a transaction is open."""
        return getattr(connection, "_transaction_status", b"I") != b"I"

    def roll_back(self, connection: Any, *, unfinished: bool = False) -> bool:
        """Roll back."""
        connection.rollback()
        return True

    def end(self, connection: Any) -> bool:
        """Close it."""
        connection.close()
        return True


class Asyncpg(Driver):
    """asyncpg, whose connections belong to one event loop."""

    name = "asyncpg"

    def database(self, dbapi_connection: Any) -> str | None:
        """Return the name of the database."""
        name: str = dbapi_connection.driver_connection._params.database
        return name

    def backend(self, connection: Any) -> int | None:
        """Return the process number of the server's side."""
        return None if connection.is_closed() else connection.get_server_pid()

    def is_busy(self, connection: Any) -> bool:
        """Say yes: only its own event loop could make it answer."""
        return True

    def is_open(self, connection: Any) -> bool:
        """Whether a transaction is open."""
        return bool(not connection.is_closed() and connection._protocol.is_in_transaction())

    def end(self, connection: Any) -> bool:
        """Have the server end it, then close our side: by its event loop, or under one that is gone."""
        loop, transport = connection._loop, connection._transport
        if connection.is_closed():
            return True
        ended = _terminated(transport)
        if not loop.is_closed():
            loop.call_soon_threadsafe(connection.terminate)
            return ended
        with contextlib.suppress(RuntimeError):
            # marks it as closed before it finds that its loop is
            connection.terminate()
        sock = getattr(transport, "_sock", None)
        if sock is not None:
            sock.close()
            transport._sock = None
        return ended


class Sqlite(Driver):
    """The standard library's driver. Whoever holds a statement that is not finished holds its lock."""

    name = "sqlite3"

    def database(self, dbapi_connection: Any) -> str | None:
        """Return the file; "" for an anonymous database in memory."""
        return _asked(dbapi_connection, "PRAGMA database_list", 2)

    def is_busy(self, connection: Any) -> bool:
        """Say no: a statement that runs is interrupted."""
        return False

    def is_open(self, connection: Any) -> bool:
        """Whether a transaction is open."""
        try:
            return bool(connection.in_transaction)
        except sqlite3.ProgrammingError:
            return False

    def roll_back(self, connection: Any, *, unfinished: bool = False) -> bool:
        """Roll back; as long as a statement has rows to give, SQLite keeps its lock."""
        try:
            if unfinished:
                _finish_sqlite(connection)
            connection.rollback()
        except sqlite3.ProgrammingError:
            # another thread's, which SQLite's driver enforces, or closed
            connection.interrupt()
            return False
        return True

    def resume(self, connection: Any) -> None:
        """Begin a transaction, which takes no lock before it reads, where the driver was told not to."""
        if connection.isolation_level is None:
            connection.execute("BEGIN")

    def end(self, connection: Any) -> bool:
        """Roll back and close it."""
        try:
            if connection.in_transaction:
                _finish_sqlite(connection)
            connection.rollback()
            connection.close()
        except sqlite3.ProgrammingError:
            return False
        return True

    def refused(self, connection: Any) -> str | None:
        """Look for rows without their parents, where foreign keys are enforced."""
        if not connection.in_transaction or not connection.execute("PRAGMA foreign_keys").fetchone()[0]:
            return None
        row = connection.execute("PRAGMA foreign_key_check").fetchone()
        return None if row is None else f"a foreign key of table {row[0]!r} to {row[2]!r}"


class Aiosqlite(Sqlite):
    """SQLite in a thread for each connection: what is done is done there."""

    name = "aiosqlite"

    def is_open(self, connection: Any) -> bool:
        """Whether a transaction is open."""
        return super().is_open(connection._connection) if connection._connection is not None else False

    def roll_back(self, connection: Any, *, unfinished: bool = False) -> bool:
        """Roll back in the connection's thread."""
        return self._there(connection, partial(super().roll_back, unfinished=unfinished))

    def end(self, connection: Any) -> bool:
        """Close it in its thread, and let the thread end."""
        ended = self._there(connection, super().end)
        connection._running = False
        connection._connection = None
        _stop_thread(connection)
        return ended

    def resume(self, connection: Any) -> None:
        """Do nothing: its holder cannot go on."""

    def refused(self, connection: Any) -> str | None:
        """Say nothing: asking takes the connection's thread."""
        return None

    def _there(self, connection: Any, work: Callable[[Any], bool]) -> bool:
        inner = connection._connection
        if inner is None:
            return True
        results: list[bool] = []
        done = Event()

        def dbguard_in_thread() -> None:
            try:
                results.append(work(inner))
            finally:
                done.set()

        inner.interrupt()
        connection._tx.put_nowait((_Nobody(), dbguard_in_thread))
        return done.wait(_WAIT_S) and results == [True]


def driver_of(connection: Any) -> Driver:
    """Return the driver of a connection, as `driver_connection` of SQLAlchemy's pool gives it."""
    for known in type(connection).__mro__:
        driver = _DRIVERS.get(known.__module__.partition(".")[0])
        if driver is not None:
            return driver
    return Driver()


def _terminated(transport: Any) -> bool:
    """Say goodbye in PostgreSQL's protocol and wait until the server hangs up: its transaction is rolled back then."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return True
    with socket.socket(fileno=os.dup(sock.fileno())) as copy:
        try:
            copy.send(b"X\x00\x00\x00\x04")
            while select.select([copy], [], [], _WAIT_S)[0]:
                if not copy.recv(65536):
                    return True
        except OSError:
            return True
    return False


def _stop_thread(connection: Any) -> None:
    """Have aiosqlite's thread end, in the way of the version that is installed."""
    from aiosqlite import core

    sentinel = getattr(core, "_STOP_RUNNING_SENTINEL", None)
    if sentinel is not None:
        connection._tx.put_nowait((_Nobody(), lambda: sentinel))


class _Nobody:
    """Stands for the future that aiosqlite's thread gives its result to: nobody awaits ours."""

    def get_loop(self) -> _Nobody:
        return self

    def call_soon_threadsafe(self, *_: Any) -> None:
        return None


def _asked(dbapi_connection: Any, statement: str, column: int) -> str | None:
    cursor = dbapi_connection.cursor()
    try:
        cursor.execute(statement)
        row = cursor.fetchone()
    finally:
        cursor.close()
    dbapi_connection.rollback()
    return None if row is None else row[column]


def _finish_sqlite(connection: Any) -> None:
    """Close the cursors of a connection. Looking for them takes about as long as a collection of garbage."""
    for cursor in gc.get_referrers(connection):
        if isinstance(cursor, sqlite3.Cursor):
            cursor.close()


_DRIVERS: Mapping[str, Driver] = MappingProxyType(
    {driver.name: driver for driver in (Psycopg(), Psycopg2(), Pg8000(), Asyncpg(), Sqlite(), Aiosqlite())}
)
