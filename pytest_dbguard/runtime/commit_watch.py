"""Knows what was committed, and of a failed COMMIT whether the transaction may have happened all the same."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.util import await_only

from pytest_dbguard.runtime.sqlstates import causes, says_rolled_back

_UNKNOWN = "dbguard_unknown_outcome"
_NOTE = "the connection broke while COMMIT was under way: the transaction may have happened, or not"
_READS = 2
"""How often to read what a server left behind: its last words, and then the end."""

_TURNS = 5
"""How many turns an event loop may take for that: it reads once a turn, and tells of the end one turn later."""


class Commits:
    """How many transactions were committed; by tasks begun meanwhile as well."""

    def __init__(self, outer: Commits | None) -> None:
        self.number = 0
        self.outer = outer


_COMMITS: ContextVar[Commits | None] = ContextVar("dbguard_commits", default=None)


@contextmanager
def counted_commits() -> Iterator[Commits]:
    """Count the commits on all watched engines until the block ends."""
    commits = Commits(_COMMITS.get())
    token = _COMMITS.set(commits)
    try:
        yield commits
    finally:
        _COMMITS.reset(token)


def watch_commits(engine: Engine) -> None:
    """Have errors of COMMIT tell whether the transaction may have happened (see `is_unknown`), and count commits.

    In the dialect, where nothing but COMMIT is under way: an event only tells that a commit is about to begin, and
    SQLAlchemy's error does not say which of the calls failed that have no statement.
    """
    dialect = engine.dialect
    commit = dialect.do_commit

    def do_commit(dbapi_connection: Any) -> None:
        was_lost = _was_lost(dbapi_connection)
        try:
            commit(dbapi_connection)
        except BaseException as error:
            if not was_lost and not says_rolled_back(error):
                _mark(error)
            raise
        _count()

    dialect.do_commit = do_commit  # type: ignore[method-assign]


def is_unknown(error: BaseException) -> bool:
    """Whether an error, or what it was raised from, left open what became of a transaction."""
    return any(hasattr(each, _UNKNOWN) for each in causes(error))


def _count() -> None:
    commits = _COMMITS.get()
    while commits is not None:
        commits.number += 1
        commits = commits.outer


def _mark(error: BaseException) -> None:
    setattr(error, _UNKNOWN, True)
    error.add_note(_NOTE)


def _was_lost(dbapi_connection: Any) -> bool:
    """Whether the connection had ended before COMMIT was sent: then the transaction has been rolled back.

    A server that goes says so at once, but drivers read that only when they next use the connection. Then nobody could
    tell it from an answer to COMMIT; so look before, which takes a microsecond where there is nothing to read.
    """
    connection = getattr(dbapi_connection, "driver_connection", dbapi_connection)
    pgconn = getattr(connection, "pgconn", None)
    if pgconn is not None:
        return bool(connection.closed) or _has_ended(pgconn)
    if hasattr(connection, "is_closed"):
        return bool(connection.is_closed()) or _is_told_of_end(connection)
    return bool(getattr(connection, "closed", False))


def _has_ended(pgconn: Any) -> bool:
    try:
        for _ in range(_READS):
            if not _is_readable(pgconn.socket):
                return False
            pgconn.consume_input()
    except Exception:  # noqa: BLE001  libpq's binding raises its own kind of error: the connection has ended
        return True
    return int(pgconn.status) != 0


def _is_told_of_end(connection: Any) -> bool:
    """Let the event loop hand asyncpg what has arrived."""
    transport = getattr(connection, "_transport", None)
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None or not _is_readable(sock.fileno()):
        return False
    for _ in range(_TURNS):
        await_only(asyncio.sleep(0))
        if connection.is_closed():
            return True
    return False


def _is_readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
