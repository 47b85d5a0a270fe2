"""What can be known of connections to SQLite and done to them, in their threads where they have one."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

from pytest_dbguard.databases.driver_base import Driver, asked

_WAIT_S = 2.0
"""How long another thread may take to let a connection go, before it counts as busy."""


class Sqlite(Driver):
    """The standard library's driver. Whoever holds a statement that is not finished holds its lock."""

    name = "sqlite3"

    def database(self, dbapi_connection: Any) -> str | None:
        """Return the file; "" for an anonymous database in memory."""
        return asked(dbapi_connection, "PRAGMA database_list", 2)

    def backend(self, connection: Any) -> int | None:
        """Return what tells it from other connections: there is no server's side."""
        return id(connection)

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
                # otherwise what follows would wait for another thread's statement
                connection.interrupt()
                _finish_sqlite(connection)
            connection.rollback()
        except sqlite3.ProgrammingError:
            # another thread's, which SQLite's driver enforces, or closed
            connection.interrupt()
            return False
        return True

    def commit(self, connection: Any, *, savepoint: str | None = None) -> bool:
        """Commit; statements that are not read to their end do not hinder that."""
        if savepoint is not None:
            connection.execute(f"ROLLBACK TO SAVEPOINT {savepoint}")
        connection.commit()
        return not connection.in_transaction

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

    def backend(self, connection: Any) -> int | None:
        """Return what tells the connection in its thread from others."""
        return id(connection._connection)

    def is_open(self, connection: Any) -> bool:
        """Whether a transaction is open."""
        return super().is_open(connection._connection) if connection._connection is not None else False

    def roll_back(self, connection: Any, *, unfinished: bool = False) -> bool:
        """Roll back in the connection's thread."""
        return self._there(connection, partial(super().roll_back, unfinished=unfinished))

    def commit(self, connection: Any, *, savepoint: str | None = None) -> bool:
        """Commit in the connection's thread."""
        return self._there(connection, partial(super().commit, savepoint=savepoint))

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


def _finish_sqlite(connection: Any) -> None:
    """Close the cursors of a connection. Looking for them takes about as long as a collection of garbage."""
    for cursor in gc.get_referrers(connection):
        if isinstance(cursor, sqlite3.Cursor):
            cursor.close()
