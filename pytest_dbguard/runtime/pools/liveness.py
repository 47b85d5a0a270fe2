"""Asks an idle connection whether its server still answers, within a time that holds even when nothing does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sqlalchemy.exc import DisconnectionError
from sqlalchemy.util import await_only

_EMPTY_QUERY = 0
_TRANSACTION_IDLE = 0
T = TypeVar("T")


class FrozenPeer(DisconnectionError):
    """No answer came in time."""


def check(connection: Any, dialect: Any, driver_connection: Any, timeout_s: float) -> None:
    """Ask a connection for an answer. Asynchronous ones must be asked where SQLAlchemy runs asynchronous drivers.

    A plain pre-ping waits for ever when the server, or what stands between, accepts data and never answers.

    - psycopg, threads and tasks: an empty query by libpq, about 10 µs on a local server; always in time.
    - asyncpg and other asynchronous drivers: the dialect's ping, ended in time.
    - psycopg2, pg8000 and other drivers of which the socket is known: the dialect's ping; a second thread shuts the
      socket when the time is over.
    - SQLite and pools without an engine: nothing, there is no peer.

    Args:
        connection: What SQLAlchemy calls the DBAPI connection.
        dialect: The engine's dialect.
        driver_connection: The driver's own connection below it; the same unless the driver is asynchronous.
        timeout_s: Seconds of real time.

    Raises:
        FrozenPeer: When no answer comes in time.
        Exception: Whatever the driver raises when the connection is closed or broken.
    """
    if not hasattr(dialect, "name") or dialect.name == "sqlite":
        return
    if dialect.driver == "psycopg":
        ask = _ask_psycopg_task if dialect.is_async else _ask_psycopg
        ask(driver_connection.pgconn, timeout_s)
    elif dialect.driver == "asyncpg":
        await_only(_ask_asyncpg(driver_connection, timeout_s))
    elif dialect.is_async:
        _ask_within(timeout_s, lambda: dialect.do_ping(connection))
    else:
        with _shut_after(timeout_s, connection):
            dialect.do_ping(connection)


def abandon(driver_connection: Any) -> None:
    """Cut a connection off whose server does not answer, so that closing it does not wait for the server.

    Drivers that do not wait there have nothing like it.
    """
    terminate = getattr(driver_connection, "terminate", None)
    if callable(terminate):
        with contextlib.suppress(Exception):  # its event loop may be closed
            terminate()


def within(seconds: float, call: Callable[[], T]) -> T:
    """Do what `async with asyncio.timeout` does, in a function that awaits through SQLAlchemy's greenlet.

    Raises:
        TimeoutError: When the time is over.
    """
    limit = asyncio.timeout(seconds)
    await_only(limit.__aenter__())
    try:
        result = call()
    except BaseException as error:
        await_only(limit.__aexit__(type(error), error, error.__traceback__))
        raise
    await_only(limit.__aexit__(None, None, None))
    return result


def _asking(pgconn: Any) -> Iterator[bool]:
    """Send an empty query and read the answer; yield whether there is something left to send when it must wait."""
    pgconn.send_query(b"")
    while pgconn.flush():
        yield True
        pgconn.consume_input()
    while True:
        while pgconn.is_busy():
            yield False
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            break
        if int(result.status) != _EMPTY_QUERY:
            raise DisconnectionError("the server has ended the connection")
    if int(pgconn.transaction_status) != _TRANSACTION_IDLE:
        raise DisconnectionError("the connection is not usable any more")


def _ask_psycopg(pgconn: Any, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    for has_more in _asking(pgconn):
        left_ms = (deadline - time.monotonic()) * 1000
        if left_ms <= 0 or not _is_ready(pgconn.socket, has_more, left_ms):
            raise FrozenPeer("the server does not answer")


def _is_ready(descriptor: int, has_more: bool, timeout_ms: float) -> bool:
    if not hasattr(select, "poll"):
        writable = [descriptor] if has_more else []
        return any(select.select([descriptor], writable, [], timeout_ms / 1000))
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | (select.POLLOUT if has_more else 0))
    return bool(poll.poll(timeout_ms))


def _ask_psycopg_task(pgconn: Any, timeout_s: float) -> None:
    await_only(_await_answer(pgconn, timeout_s))


async def _await_answer(pgconn: Any, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            for has_more in _asking(pgconn):
                await _until_ready(pgconn.socket, has_more)
    except TimeoutError:
        raise FrozenPeer("the server does not answer") from None


async def _until_ready(descriptor: int, has_more: bool) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(descriptor, wake)
    if has_more:
        loop.add_writer(descriptor, wake)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
        if has_more:
            loop.remove_writer(descriptor)


async def _ask_asyncpg(connection: Any, timeout_s: float) -> None:
    # asyncpg trips over an empty query here; a simple one is one round trip, and needs no prepared statement
    asking = asyncio.ensure_future(connection.execute("SELECT 1"))
    # not cancelled when the time is over: asyncpg would open another connection to the same server, to cancel it there
    try:
        done, _ = await asyncio.wait([asking], timeout=timeout_s)
    except BaseException:
        connection.terminate()
        asking.add_done_callback(_ignore_outcome)
        raise
    if not done:
        connection.terminate()
        asking.add_done_callback(_ignore_outcome)
        raise FrozenPeer("the server does not answer")
    asking.result()


def _ignore_outcome(asking: asyncio.Future[Any]) -> None:
    if not asking.cancelled():
        asking.exception()


def _ask_within(timeout_s: float, ask: Callable[[], Any]) -> None:
    try:
        within(timeout_s, ask)
    except TimeoutError:
        raise FrozenPeer("the server does not answer") from None


@contextlib.contextmanager
def _shut_after(timeout_s: float, connection: Any) -> Iterator[None]:
    """Shut a connection's socket when the time is over: whoever reads from it sees its end."""
    descriptor = _descriptor(connection)
    if descriptor is None:
        yield
        return
    # a copy: the number may be another file's by the time that the thread uses it
    with socket.socket(fileno=os.dup(descriptor)) as copy:
        over = threading.Event()
        timer = threading.Timer(timeout_s, _shut, (copy, over))
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception:
            if over.is_set():
                raise FrozenPeer("the server does not answer") from None
            raise
        finally:
            timer.cancel()
            timer.join()


def _shut(peer: socket.socket, over: threading.Event) -> None:
    over.set()
    with contextlib.suppress(OSError):
        peer.shutdown(socket.SHUT_RDWR)


def _descriptor(connection: Any) -> int | None:
    for each in (connection, getattr(connection, "_usock", None), getattr(connection, "_sock", None)):
        with contextlib.suppress(Exception):
            return int(each.fileno())  # type: ignore[union-attr]
    return None
