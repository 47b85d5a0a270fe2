"""Finds and ends connections of this process that no pool knows and that hold a lock on an SQLite database."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from pytest_dbguard.databases.sqlite import OwnConnection, SqliteDatabase
from pytest_dbguard.databases.sqlite_drivers import Aiosqlite, Sqlite
from pytest_dbguard.resets.base import Leak, Ledger


class Intruders:
    """The connections of drivers that were used directly.

    They are looked for among all objects of the process, which takes a while: only where a lock stands in the way.
    """

    def __init__(self, database: SqliteDatabase, ledger: Ledger) -> None:
        self._ledger = ledger
        with closing(database.connect()) as connection:
            self._name = _names(connection)[0]

    def end(self, *, closes: bool) -> list[Leak]:
        """End the transactions and unfinished statements of others; `closes` ends their connections altogether."""
        gc.collect()  # what nobody can reach any more ends by that
        kept = self._ledger.kept_backends()
        leaks = []
        for connection, driver in _connections():
            inner = getattr(connection, "_connection", connection)
            if id(inner) in kept or not driver.leads_to(connection, self._name):
                continue
            is_open = driver.is_open(connection)
            if closes:
                driver.end(connection)
            else:
                driver.roll_back(connection, unfinished=True)
            if is_open:
                leaks.append(self._ledger.leak_of(id(inner), "a connection with an open transaction"))
        return leaks

    def holder(self) -> str | None:
        """Return which fixture of wider scope has a transaction open; None when none is known to have."""
        kept = self._ledger.kept_backends()
        for connection, driver in _connections():
            inner = getattr(connection, "_connection", connection)
            if id(inner) in kept and driver.is_open(connection):
                return self._ledger.leak_of(id(inner), "").owner
        return None


class _OfSqlite(Sqlite):
    """The standard library's driver."""

    def leads_to(self, connection: Any, name: str) -> bool:
        return _leads_to(connection, name)


class _OfAiosqlite(Aiosqlite):
    """SQLite in a thread of its own, the only one that may ask anything."""

    def leads_to(self, connection: Any, name: str) -> bool:
        return self.is_open(connection) and self._there(connection, lambda inner: _leads_to(inner, name))


def _connections() -> Iterator[tuple[Any, _OfSqlite | _OfAiosqlite]]:
    """Return each driver connection of the process with what can be done to it."""
    wrapped: set[int] = set()
    found = gc.get_objects()
    for each in found:
        # by its type alone: to ask a proxy object for its class may fail
        if str(type(each).__module__).partition(".")[0] == "aiosqlite" and hasattr(type(each), "execute_fetchall"):
            wrapped.add(id(each._connection))
            yield each, _OfAiosqlite()
    for each in found:
        kind = type(each)
        if issubclass(kind, sqlite3.Connection) and not issubclass(kind, OwnConnection) and id(each) not in wrapped:
            yield each, _OfSqlite()


def _leads_to(connection: Any, name: str) -> bool:
    with suppress(sqlite3.Error):  # another thread's, or closed
        return any(_same(each, name) for each in _names(connection))
    return False


def _names(connection: Any) -> list[str]:
    cursor = connection.cursor()
    try:
        return [row[2] for row in cursor.execute("PRAGMA database_list")]
    finally:
        cursor.close()


def _same(one: str, other: str) -> bool:
    return bool(one) and (one == other or Path(one) == Path(other))
