"""Makes SQLite's transactions as wide as they must be, and no wider: what only reads keeps no lock."""

from __future__ import annotations

import re
import sqlite3
from contextlib import suppress
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, event

# all that changes nothing, or that SQLite refuses inside of a transaction; after WITH anything may come
_COMMENTS = r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*"
_READS = re.compile(
    _COMMENTS + r"(?:(?:SELECT|PRAGMA|EXPLAIN|VALUES|ATTACH|DETACH|VACUUM|BEGIN|END|COMMIT|ROLLBACK)\b"
    r"|WITH\b(?!.*\b(?:INSERT|UPDATE|DELETE|REPLACE)\b))",
    re.IGNORECASE | re.DOTALL,
)

_READS_ROWS = re.compile(_COMMENTS + r"(?:SELECT|VALUES|WITH)\b", re.IGNORECASE | re.DOTALL)


def mend_sqlite(engine: Engine, *, is_durable: bool = False) -> None:
    """Have a transaction begin before the first statement that is no read, and have foreign keys enforced.

    Args:
        engine: The engine; of an asynchronous one the synchronous engine inside. Nothing happens on other databases.
        is_durable: Whether data are to outlive a power cut, so that commits wait for the disk; and whether reads begin
            a transaction as well where "SERIALIZABLE" is asked for, which costs others a lock. Tests need neither.

    The driver itself begins one before INSERT, UPDATE and DELETE only, so that SAVEPOINT and DDL do not roll back.
    SQLAlchemy's documentation mends that with a BEGIN before every statement ("Legacy Transaction Mode"); but then a
    session that has read keeps a lock until it ends, and the application that is under test in another session cannot
    commit. Done in the dialect and not by events: listeners see no statement of ours.
    """
    if engine.dialect.name != "sqlite":
        return
    event.listen(engine, "connect", _prepare)
    if not is_durable and engine.url.query.get("vfs") != "memdb":
        event.listen(engine, "connect", _need_no_disk)
    dialect = engine.dialect
    execute, executemany, without, savepoint, commit = (
        dialect.do_execute,
        dialect.do_executemany,
        dialect.do_execute_no_params,
        dialect.do_savepoint,
        dialect.do_commit,
    )

    def do_execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        _begin_before(statement, context, is_durable)
        execute(cursor, statement, parameters, context)

    def do_executemany(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        _begin_before(statement, context, is_durable)
        executemany(cursor, statement, parameters, context)

    def do_execute_no_params(cursor: Any, statement: str, context: Any = None) -> None:
        _begin_before(statement, context, is_durable)
        without(cursor, statement, context)

    def do_savepoint(connection: Any, name: str) -> None:
        # outside of a transaction SAVEPOINT begins one, and its RELEASE commits it
        _begin(connection)
        savepoint(connection, name)

    def do_commit(dbapi_connection: Any) -> None:
        try:
            commit(dbapi_connection)
        except BaseException:
            # "database is locked" leaves the transaction open, and SQLAlchemy takes it for ended, so that whoever got
            # the connection next would commit what this one wrote
            with suppress(Exception):
                dialect.do_rollback(dbapi_connection)
            raise

    dialect.do_commit = do_commit  # type: ignore[method-assign]
    dialect.do_begin = _begin_later  # type: ignore[method-assign, assignment]
    dialect.do_execute = do_execute  # type: ignore[method-assign]
    dialect.do_executemany = do_executemany  # type: ignore[method-assign]
    dialect.do_execute_no_params = do_execute_no_params  # type: ignore[method-assign]
    dialect.do_savepoint = do_savepoint  # type: ignore[method-assign]


def _prepare(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    # PostgreSQL always enforces foreign keys; code that breaks them must not pass here.
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _need_no_disk(dbapi_connection: Any, _record: object) -> None:
    """Have commits not wait for a disk, which takes milliseconds; nothing in the file itself can say so."""
    cursor = dbapi_connection.cursor()
    with suppress(sqlite3.OperationalError):  # locked by another connection: then this one is slower
        cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


def _begin_later(_dbapi_connection: Any) -> None:
    """Do nothing: the first statement that writes begins."""


def _begin_before(statement: str, context: Any, is_durable: bool) -> None:
    if context is None:
        return
    connection = context.root_connection
    if not _only_reads(statement) or (
        is_durable and _isolation(connection) == "SERIALIZABLE" and _reads_rows(statement)
    ):
        _begin(connection)


@lru_cache(maxsize=2048)
def _only_reads(statement: str) -> bool:
    return _READS.match(statement) is not None


@lru_cache(maxsize=2048)
def _reads_rows(statement: str) -> bool:
    return _READS_ROWS.match(statement) is not None


def _begin(connection: Any) -> None:
    """Begin a transaction, unless one is open or the connection is to commit each statement by itself."""
    # not by the pool's record, which is gone where a connection was detached from it
    dbapi_connection = connection.connection.dbapi_connection
    driver_connection = getattr(dbapi_connection, "driver_connection", dbapi_connection)
    if driver_connection.in_transaction or _is_autocommit(connection):
        return
    cursor = dbapi_connection.cursor()
    cursor.execute("BEGIN")
    cursor.close()


def _is_autocommit(connection: Any) -> bool:
    return _isolation(connection) == "AUTOCOMMIT"


def _isolation(connection: Any) -> str:
    asked: Any = connection.get_execution_options().get("isolation_level")
    asked = asked or connection.engine.get_execution_options().get("isolation_level")
    return str(asked or connection.dialect._on_connect_isolation_level).upper()
