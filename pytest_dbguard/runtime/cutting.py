"""Takes connections away from work that does not end: cancels what runs on them, or cuts them off."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

_CANCEL_REQUEST = 80877102
"""https://www.postgresql.org/docs/current/protocol-message-formats.html, CancelRequest"""


def cancel(connection: Any, timeout_s: float) -> None:
    """Cancel the statement that runs on a driver's connection, from whichever thread; nothing when none runs.

    Takes `timeout_s` seconds at the most, and raises nothing: whoever waits looks whether it helped.
    """
    driver = _driver_of(connection)
    if driver in ("sqlite3", "aiosqlite"):
        _interrupt(connection)
    elif driver == "asyncpg":
        _quietly(_request_cancel, connection, timeout_s)
    elif driver == "psycopg" and not _is_async(connection):
        _quietly(lambda: connection.cancel_safe(timeout=timeout_s))
    elif hasattr(connection, "cancel"):
        # blocks for as long as the network does
        _within(timeout_s, connection.cancel)


async def cancel_async(connection: Any, timeout_s: float) -> None:
    """Do what `cancel` does without holding up the event loop."""
    if _driver_of(connection) == "psycopg" and _is_async(connection):
        with suppress(Exception):
            await connection.cancel_safe(timeout=timeout_s)
    else:
        await asyncio.to_thread(cancel, connection, timeout_s)


def sever(connection: Any) -> None:
    """Cut a driver's connection off: whoever uses it sees it broken, from whichever thread this is called.

    The connection itself is not touched, since its holder may be inside of it; its socket is shut. SQLite has none.
    """
    driver = _driver_of(connection)
    if driver == "asyncpg":
        _quietly(_terminate, connection)
    elif driver == "psycopg":
        _quietly(lambda: _shut(lambda: connection.pgconn.socket))
    elif driver == "psycopg2":
        _quietly(_shut, connection.fileno)
    else:
        _interrupt(connection)


def _driver_of(connection: Any) -> str:
    names = {known.__module__.partition(".")[0] for known in type(connection).__mro__}
    return next((name for name in ("psycopg", "asyncpg", "aiosqlite", "sqlite3", "psycopg2") if name in names), "")


def _is_async(connection: Any) -> bool:
    return inspect.iscoroutinefunction(connection.rollback)


def _interrupt(connection: Any) -> None:
    inner = getattr(connection, "_connection", connection)
    if inner is not None and hasattr(inner, "interrupt"):
        _quietly(inner.interrupt)


def _request_cancel(connection: Any, timeout_s: float) -> None:
    """Ask the server as asyncpg does, but without its event loop, which may be blocked or another thread's.

    A server takes the request from anybody who knows the secret number, before it looks at encryption or passwords.
    """
    address, protocol = connection._addr, connection._protocol
    message = struct.pack("!iiii", 16, _CANCEL_REQUEST, protocol.backend_pid, protocol.backend_secret)
    with socket.socket(socket.AF_UNIX) if isinstance(address, str) else _any_family(address) as asking:
        asking.settimeout(timeout_s)
        asking.connect(address)
        asking.sendall(message)
        asking.recv(1)  # it hangs up when it has passed the request on


def _any_family(address: tuple[str, int]) -> socket.socket:
    return socket.socket(socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0])


def _terminate(connection: Any) -> None:
    loop = connection._loop
    if loop.is_closed() or asyncio._get_running_loop() is loop:
        connection.terminate()
    else:
        loop.call_soon_threadsafe(connection.terminate)


def _shut(descriptor: Callable[[], int]) -> None:
    number = descriptor()
    with socket.socket(fileno=os.dup(number)) as copy:
        # its holder may have closed it before it was copied, and the number be another file's by then
        if descriptor() == number:
            copy.shutdown(socket.SHUT_RDWR)


def _within(timeout_s: float, action: Callable[[], object]) -> None:
    thread = Thread(target=_quietly, args=(action,), daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return  # Python is ending
    thread.join(timeout_s)


def _quietly(action: Callable[..., object], *args: Any) -> None:
    with suppress(Exception):
        action(*args)
