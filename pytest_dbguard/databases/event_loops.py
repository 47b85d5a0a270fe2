"""Lets the pool of an asynchronous engine outlive event loops, and closes it without one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import finalize

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

from pytest_dbguard.databases.driver_base import quietly
from pytest_dbguard.databases.drivers import driver_of

Undo = Callable[[], None]


def follow_loop(engine: Engine) -> Undo:
    """Have connections replaced that belong to another event loop than the one that runs; return what undoes it.

    That is asyncpg's way; psycopg and aiosqlite serve whichever loop awaits them.
    """
    if engine.dialect.driver != "asyncpg":
        return lambda: None
    listeners: tuple[tuple[str, Any], ...] = (("checkout", _leave_other_loop), ("close", _end_other_loop))
    for name, listener in listeners:
        if not event.contains(engine, name, listener):
            event.listen(engine, name, listener)

    def undo() -> None:
        for name, listener in listeners:
            if event.contains(engine, name, listener):
                event.remove(engine, name, listener)

    return undo


def close_with_engine(engine: Engine) -> None:
    """Close what is left in the engine's pool when nobody has the engine any more, or Python ends.

    Where no loop is left that could await it, drivers warn of connections that were never closed.
    """
    opened: dict[int, Any] = {}

    def dbguard_opened(dbapi_connection: Any, record: Any) -> None:
        opened[id(dbapi_connection)] = record.driver_connection

    def dbguard_closed(dbapi_connection: Any, *_: Any) -> None:
        opened.pop(id(dbapi_connection), None)

    event.listen(engine, "connect", dbguard_opened)
    event.listen(engine, "close", dbguard_closed)
    event.listen(engine, "close_detached", dbguard_closed)
    finalize(engine, _end_all, opened)


def daemonic() -> dict[str, Any]:
    """Return arguments for aiosqlite that keep its threads from holding up the end of Python.

    Some versions of SQLAlchemy cannot do that for aiosqlite 0.22 and later.
    """
    return {"async_creator_fn": _connect_aiosqlite}


def _connect_aiosqlite(*args: Any, **options: Any) -> Any:
    import aiosqlite

    connection: Any = aiosqlite.connect(*args, **options)
    thread = getattr(connection, "_thread", connection)
    thread.daemon = True
    return connection


def _leave_other_loop(_dbapi_connection: Any, record: Any, _proxy: Any) -> None:
    connection = record.driver_connection
    if connection is not None and connection._loop is not asyncio.get_running_loop():
        quietly(driver_of(connection).end, connection)
        raise DisconnectionError


def _end_other_loop(_dbapi_connection: Any, record: Any) -> None:
    """End a connection before SQLAlchemy awaits that its own loop closes it, which would fail."""
    connection = record.driver_connection
    if connection is not None and connection._loop is not _running_loop():
        quietly(driver_of(connection).end, connection)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _end_all(opened: dict[int, Any]) -> None:
    for connection in list(opened.values()):
        quietly(driver_of(connection).end, connection)
    opened.clear()
