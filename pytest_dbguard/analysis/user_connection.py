"""Asks a database over the connection that a program is using, and leaves that connection as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from pytest_dbguard.schema.catalog import Dialect

Ask = Callable[[str], Sequence[Sequence[Any]]]

_IDLE, _IN_TRANSACTION = 0, 2  # libpq's PQTRANS_IDLE and PQTRANS_INTRANS
_SAVEPOINT = "dbguard_schema"
# A test may hold a lock on what the catalog is asked about, and a program may allow its own statements little time.
_LIMITS = (
    "SELECT set_config('lock_timeout', '500', true), set_config('statement_timeout', '5000', true),"
    " set_config('jit', 'off', true)"
)


class UnusableConnection(Exception):
    """Nothing may be asked over a connection: its transaction has failed, is busy, or its driver does not tell."""


@contextmanager
def asking(connection: Any) -> Iterator[Ask]:
    """Give a function that runs SQL on the driver's connection of SQLAlchemy's connection.

    On PostgreSQL all of it stands behind a savepoint of the open transaction, or in a transaction of its own where none
    is open, so that neither an error nor a limit of time stays behind, and nobody waits for a lock for long.

    Raises:
        UnusableConnection: Before anything was sent.
    """
    raw = connection.connection
    if connection.dialect.name != Dialect.POSTGRESQL:
        yield lambda sql: _run(raw, sql)
        return
    status = _status(raw.dbapi_connection)
    if status == _IN_TRANSACTION:
        before, after = f"SAVEPOINT {_SAVEPOINT}", [f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}", f"RELEASE {_SAVEPOINT}"]
    elif status == _IDLE:
        before, after = "BEGIN READ ONLY", ["ROLLBACK"]
    else:
        raise UnusableConnection
    _run(raw, before)
    try:
        _run(raw, _LIMITS)
        yield lambda sql: _run(raw, sql)
    finally:
        for statement in after:
            _run(raw, statement)


def _status(driver: Any) -> int | None:
    """Return the state of a connection's transaction as libpq tells it; None where the driver tells none."""
    # SQLAlchemy's adapters of asynchronous drivers carry the connection itself
    for each in (driver, getattr(driver, "_connection", None)):
        info = getattr(each, "info", None)
        if info is not None:
            status = getattr(info, "transaction_status", None)
            return None if status is None else int(status)
        is_in = getattr(each, "is_in_transaction", None)  # asyncpg
        told = is_in() if callable(is_in) else getattr(each, "_in_transaction", None)  # the latter is pg8000's
        if isinstance(told, bool):
            return _IN_TRANSACTION if told else _IDLE
    return None


def _run(raw: Any, sql: str) -> Sequence[Sequence[Any]]:
    cursor = raw.cursor()
    try:
        _give_tuples(cursor)
        cursor.execute(sql)
        if cursor.description is None:
            return []
        # what could not be told to give tuples gives rows of any kind
        return [tuple(row.values()) if isinstance(row, Mapping) else tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()


def _give_tuples(cursor: Any) -> None:
    """Undo for one cursor what makes rows of a class of the program's out of ours."""
    if getattr(cursor, "row_factory", None) is None:
        return
    factory = None
    if type(cursor).__module__.partition(".")[0] == "psycopg":
        from psycopg.rows import tuple_row

        factory = tuple_row
    with suppress(AttributeError, TypeError):
        cursor.row_factory = factory
