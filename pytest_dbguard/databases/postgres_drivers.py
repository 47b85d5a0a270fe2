"""What can be known of connections to PostgreSQL and done to them, driver by driver."""

from __future__ import annotations

import contextlib
import inspect
import os
import select
import socket
from typing import Any

from pytest_dbguard.databases.driver_base import Driver, asked

_HANG_UP_S = 2.0
"""How long a server may take to end a connection."""


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

    def commit(self, connection: Any, *, savepoint: str | None = None) -> bool:
        """Commit with libpq."""
        if self.is_busy(connection):
            return False
        if savepoint is not None:
            connection.pgconn.exec_(f"ROLLBACK TO SAVEPOINT {savepoint}".encode())
        connection.pgconn.exec_(b"COMMIT")
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
        result = connection.pgconn.exec_(b"SET CONSTRAINTS ALL IMMEDIATE")
        constraint, table = (result.error_field(field) for field in (ord("n"), ord("t")))
        if constraint is None:
            return None
        return f"constraint {constraint.decode()!r} of table {(table or b'?').decode()!r}"


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
        return bool(not connection.closed and connection.get_transaction_status() == 1)

    def is_open(self, connection: Any) -> bool:
        """Whether a transaction is open."""
        return not connection.closed and connection.get_transaction_status() in (2, 3)

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
        return asked(dbapi_connection, "SELECT current_database()", 0)

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


def _terminated(transport: Any) -> bool:
    """Say goodbye in PostgreSQL's protocol and wait until the server hangs up: its transaction is rolled back then."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return True
    with socket.socket(fileno=os.dup(sock.fileno())) as copy:
        try:
            copy.send(b"X\x00\x00\x00\x04")
            while select.select([copy], [], [], _HANG_UP_S)[0]:
                if not copy.recv(65536):
                    return True
        except OSError:
            return True
    return False
