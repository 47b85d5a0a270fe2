"""The asynchronous database fixtures, without any plugin for asyncio: ordinary fixtures for tests of any of them.

What a test leaves open is closed in an event loop of our own after it; the test uses it in its loop, whoever runs
that: pytest-asyncio in either mode and with any loop scope, anyio's plugin on its asyncio backend, or `asyncio.run`
in the test. psycopg and aiosqlite allow that, since neither ties a connection to a loop; asyncpg would not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker

T = TypeVar("T")


def connection(engine: AsyncEngine) -> Iterator[AsyncConnection]:
    """Yield a connection that is open already."""
    made = run(_started(engine))
    try:
        yield made
    finally:
        run(made.close())


def session(maker: async_sessionmaker[AsyncSession]) -> Iterator[AsyncSession]:
    """Yield a session and close it after the test."""
    made = maker()
    try:
        yield made
    finally:
        run(made.close())


async def _started(engine: AsyncEngine) -> AsyncConnection:
    return await engine.connect()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run something in a loop of our own; in another thread when a loop is running in this one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_run, work).result()


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run something like `asyncio.run`, but leave the thread's current loop alone: it may be a plugin's."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
