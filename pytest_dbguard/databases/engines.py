"""Engines on a database, with the behaviour that both databases should share: transactions, roles, event loops."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Database
from pytest_dbguard.databases.event_loops import close_with_engine, daemonic, follow_loop
from pytest_dbguard.databases.sqlite_transactions import mend_sqlite

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

Role = Literal["primary", "readonly", "analytics"]
"""What an engine is for; only "primary" may write."""

CARED_FOR = "dbguard_cared_for"
"""Key in the information of a pooled connection that several engines share: what one of them may not, others may."""

_READ_ONLY = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}


def make_engine(database: Database, *, role: Role = "primary", **options: Any) -> Engine:
    """Return an engine on the database; options go to `create_engine`."""
    if database.url.get_backend_name() == "sqlite":
        options["connect_args"] = {"check_same_thread": False, **options.get("connect_args", {})}
        options.setdefault("poolclass", QueuePool)
    engine = create_engine(database.url, **options)
    mend_sqlite(engine)
    if role != "primary":
        event.listen(engine, "connect", forbid_writes)
    return engine


def make_async_engine(database: Database, *, role: Role = "primary", **options: Any) -> AsyncEngine:
    """Return an asynchronous engine whose pool serves any event loop; options as for `make_engine`.

    Its pool never waits for a connection, which would tie it to the loop that waits; and connections of a driver
    that ties them to their loop are replaced when another one runs.

    Raises:
        DatabaseError: When what asyncio needs is not installed.
    """
    _need_async(database)
    from sqlalchemy.ext.asyncio import create_async_engine

    if database.async_url.get_backend_name() == "sqlite":
        options["connect_args"] = {"check_same_thread": False, **daemonic(), **options.get("connect_args", {})}
    if options.setdefault("poolclass", AsyncAdaptedQueuePool) is AsyncAdaptedQueuePool:
        options.setdefault("max_overflow", -1)
    engine = create_async_engine(database.async_url, **options)
    mend_sqlite(engine.sync_engine)
    follow_loop(engine.sync_engine)
    close_with_engine(engine.sync_engine)
    if role != "primary":
        event.listen(engine.sync_engine, "connect", forbid_writes)
    return engine


def forbid_writes(dbapi_connection: Any, record: Any) -> None:
    """Make a new connection refuse what a replica refuses: a listener for the event "connect"."""
    if CARED_FOR in record.info:
        return
    module = type(dbapi_connection).__module__
    cursor = dbapi_connection.cursor()
    cursor.execute(_READ_ONLY["sqlite" if "sqlite" in module else "postgresql"])
    cursor.close()
    dbapi_connection.commit()


def _need_async(database: Database) -> None:
    driver = database.async_url.get_driver_name()
    missing = [name for name in (driver, "greenlet") if find_spec(name) is None]
    if missing:
        raise DatabaseError(
            f"the asynchronous fixtures need {' and '.join(missing)}, not installed here",
            hint="run: pip install 'pytest-dbguard[async]'",
        )
