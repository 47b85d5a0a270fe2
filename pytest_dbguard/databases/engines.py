"""Engines on a database, with the transaction behaviour that both databases should share."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool, QueuePool

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


def make_engine(database: Database, **options: Any) -> Engine:
    """Return an engine on the database; options go to `create_engine`."""
    if database.kind == "sqlite":
        options.setdefault("connect_args", {"check_same_thread": False})
        options.setdefault("poolclass", QueuePool)
    engine = create_engine(database.url, **options)
    _mend_sqlite(engine)
    return engine


def make_async_engine(database: Database, **options: Any) -> AsyncEngine:
    """Return an asynchronous engine without a pool, so that it serves any event loop; options as for `make_engine`.

    Raises:
        DatabaseError: When what asyncio needs is not installed.
    """
    _need_async(database)
    from sqlalchemy.ext.asyncio import create_async_engine

    options.setdefault("poolclass", NullPool)
    engine = create_async_engine(database.async_url, **options)
    _mend_sqlite(engine.sync_engine)
    return engine


def _mend_sqlite(engine: Engine) -> None:
    """Make SQLite transactional from the first statement on, and make it enforce foreign keys.

    The driver begins a transaction before INSERT only, not before SELECT, SAVEPOINT or DDL, so that savepoints and
    rollbacks lose their meaning. This is the mending of SQLAlchemy's documentation (SQLite, "Legacy Transaction
    Mode"), done in the dialect instead of an event: the BEGIN is then no statement that a listener sees.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        engine.dialect.do_begin = _begin_sqlite  # type: ignore[method-assign]


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    # PostgreSQL always enforces foreign keys; code that breaks them must not pass here.
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(dbapi_connection: Any) -> None:
    cursor = dbapi_connection.cursor()
    cursor.execute("BEGIN")
    cursor.close()


def _need_async(database: Database) -> None:
    driver = database.async_url.get_driver_name()
    missing = [name for name in (driver, "greenlet") if find_spec(name) is None]
    if missing:
        raise DatabaseError(
            f"the asynchronous fixtures need {' and '.join(missing)}, not installed here",
            hint="run: pip install 'pytest-dbguard[async]'",
        )
