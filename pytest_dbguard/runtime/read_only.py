"""Views of an engine whose connections refuse to write, though its pool's other connections may."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, event

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

READ_ONLY = "postgresql_readonly"
"""SQLAlchemy's execution option: drivers begin transactions with READ ONLY, which takes no round trip of its own."""

_FORBIDDEN = "dbguard_writes_forbidden"
_FORBID = "SET default_transaction_read_only = on"
_ALLOW = "RESET default_transaction_read_only"


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
    if proxy.dbapi_connection.autocommit:
        _forbid_by_session(dialect, proxy._connection_record)


def _may_write_again(dialect: Any, dbapi_connection: Any) -> None:
    dialect.set_readonly(dbapi_connection, False)


def _forbid_by_session(dialect: Any, record: Any) -> None:
    """Have the session refuse writes until it is given back: where statements commit by themselves, nothing begins."""
    if _FORBIDDEN in record.info:
        return
    try:
        _execute(record.dbapi_connection, _FORBID)
    except Exception as error:
        if not dialect.is_disconnect(error, record.dbapi_connection, None):
            raise
        return  # told by the statement that comes now, in SQLAlchemy's words
    record.info[_FORBIDDEN] = True
    record.finalize_callback.append(partial(_allow_by_session, record))


def _allow_by_session(record: Any, dbapi_connection: Any) -> None:
    record.info.pop(_FORBIDDEN, None)
    try:
        _execute(dbapi_connection, _ALLOW)
        dbapi_connection.commit()  # a transaction has begun where its caller went on without AUTOCOMMIT
    except Exception as error:  # noqa: BLE001  whoever gives it back is not to blame: another one takes its place
        record.invalidate(error)


def _forbid_until_returned(connection: Connection) -> None:
    proxy: Any = connection.connection
    _query_only(proxy.dbapi_connection, "ON")
    proxy._connection_record.finalize_callback.append(_allow)


def _allow(dbapi_connection: Any) -> None:
    _query_only(dbapi_connection, "OFF")


def _query_only(dbapi_connection: Any, word: str) -> None:
    _execute(dbapi_connection, f"PRAGMA query_only = {word}")


def _execute(dbapi_connection: Any, statement: str) -> None:
    cursor = dbapi_connection.cursor()
    cursor.execute(statement)
    cursor.close()
