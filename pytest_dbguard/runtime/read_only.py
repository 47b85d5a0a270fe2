"""Views of an engine whose connections refuse to write, though its pool's other connections may."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, event

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

READ_ONLY = "postgresql_readonly"
"""SQLAlchemy's execution option: drivers begin transactions with READ ONLY, which takes no round trip of its own."""


def read_only_view(engine: Engine) -> Engine:
    """Return an engine on the same pool, whose transactions the database itself keeps from writing."""
    view = engine.execution_options(**{READ_ONLY: True})
    _care_for(view)
    return view


def read_only_view_async(engine: AsyncEngine) -> AsyncEngine:
    """Return an asynchronous engine on the same pool, as `read_only_view` does."""
    view = engine.execution_options(**{READ_ONLY: True})
    _care_for(view.sync_engine)
    return view


def _care_for(view: Engine) -> None:
    if view.dialect.name == "sqlite":
        event.listen(view, "engine_connect", _forbid_until_returned)
    elif view.dialect.name == "postgresql":
        event.listen(view, "begin", _still_read_only)


def _still_read_only(connection: Connection) -> None:
    """Set the option again where SQLAlchemy has opened another connection: it sets it for the first one only."""
    proxy: Any = connection.connection
    dialect: Any = connection.dialect
    if not dialect.get_readonly(proxy.dbapi_connection):
        dialect.set_readonly(proxy.dbapi_connection, True)
        proxy._connection_record.finalize_callback.append(partial(_may_write_again, dialect))


def _may_write_again(dialect: Any, dbapi_connection: Any) -> None:
    dialect.set_readonly(dbapi_connection, False)


def _forbid_until_returned(connection: Connection) -> None:
    proxy: Any = connection.connection
    _query_only(proxy.dbapi_connection, "ON")
    proxy._connection_record.finalize_callback.append(_allow)


def _allow(dbapi_connection: Any) -> None:
    _query_only(dbapi_connection, "OFF")


def _query_only(dbapi_connection: Any, word: str) -> None:
    cursor = dbapi_connection.cursor()
    cursor.execute(f"PRAGMA query_only = {word}")
    cursor.close()
