"""Asks a PostgreSQL server one thing on a connection that is in no transaction: in one round trip, and bounded."""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import Generator
from typing import Any

Row = tuple[str | None, ...]
_FAILED = 7
"""libpq's PGRES_FATAL_ERROR."""


class Refused(Exception):
    """The server has answered that it does not know what it was asked, or does not tell us."""


def ask(driver_connection: Any, query: str, seconds: float) -> Row:
    """Return the only row of a query whose columns are text.

    By libpq's own calls where psycopg is the driver: its cursors would begin a transaction first, and nothing ends
    their waiting for a server that has frozen. After any error but `Refused` the connection is not to be used again,
    as an answer may still come. Other drivers cannot be bounded.

    Raises:
        TimeoutError: When no answer comes in time.
        Refused: When the server has no answer.
    """
    pgconn = getattr(driver_connection, "pgconn", None)
    if pgconn is None:
        return _by_cursor(driver_connection, query)
    deadline = time.monotonic() + seconds
    dialogue = _dialogue(pgconn, query)
    try:
        while True:
            _wait(next(dialogue), deadline)
    except StopIteration as end:
        return _row(end.value)


async def ask_async(driver_connection: Any, query: str, seconds: float) -> Row:
    """Ask as `ask` does, by a connection of an asynchronous driver."""
    pgconn = getattr(driver_connection, "pgconn", None)
    async with asyncio.timeout(seconds):
        if pgconn is None:
            return await _by_asyncpg(driver_connection, query)
        dialogue = _dialogue(pgconn, query)
        try:
            while True:
                await _wait_async(next(dialogue))
        except StopIteration as end:
            return _row(end.value)


_Interest = tuple[int, bool]
"""The socket, and whether to wait until it takes more besides waiting until it has something."""


def _dialogue(pgconn: Any, query: str) -> Generator[_Interest, None, Any]:
    pgconn.send_query(query.encode())
    while pgconn.flush():
        yield pgconn.socket, True
        pgconn.consume_input()
    answer = None
    while True:
        while pgconn.is_busy():
            yield pgconn.socket, False
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            return answer
        answer = answer or result


def _wait(interest: _Interest, deadline: float) -> None:
    poll = select.poll()
    poll.register(interest[0], select.POLLIN | (select.POLLOUT if interest[1] else 0))
    remaining_s = deadline - time.monotonic()
    if remaining_s <= 0 or not poll.poll(remaining_s * 1000):
        raise TimeoutError("the server has not answered in time")


async def _wait_async(interest: _Interest) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    socket, wants_to_write = interest
    loop.add_reader(socket, _settle, ready)
    if wants_to_write:
        loop.add_writer(socket, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(socket)
        if wants_to_write:
            loop.remove_writer(socket)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _row(result: Any) -> Row:
    if int(result.status) == _FAILED or result.ntuples != 1:
        raise Refused("the server has not told its position")
    values = (result.get_value(0, column) for column in range(result.nfields))
    return tuple(None if value is None else value.decode() for value in values)


async def _by_asyncpg(connection: Any, query: str) -> Row:
    from asyncpg import PostgresError  # type: ignore[import-untyped]

    try:
        row = await connection.fetchrow(query)
    except PostgresError as error:
        if connection.is_closed():
            raise
        raise Refused("the server has not told its position") from error
    return tuple(row)


def _by_cursor(connection: Any, query: str) -> Row:
    cursor = connection.cursor()
    try:
        cursor.execute(query)
        return tuple(cursor.fetchone())
    finally:
        cursor.close()
        connection.rollback()
