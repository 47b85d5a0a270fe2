"""The asynchronous database fixtures, without any plugin for asyncio: ordinary fixtures for tests of any of them.

What a test leaves open is closed in an event loop of our own after it; the test uses it in its loop, whoever runs
that: pytest-asyncio in either mode and with any loop scope, anyio's plugin on its asyncio backend, or `asyncio.run`
in the test. psycopg and aiosqlite allow that, since neither ties a connection to a loop; asyncpg would not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_dbguard.templates.off_loop import run_coroutine

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker


def connection(engine: AsyncEngine) -> Iterator[AsyncConnection]:
    """Yield a connection that is open already."""
    made = run_coroutine(_started(engine))
    try:
        yield made
    finally:
        run_coroutine(made.close())


def session(maker: async_sessionmaker[AsyncSession]) -> Iterator[AsyncSession]:
    """Yield a session and close it after the test."""
    made = maker()
    try:
        yield made
    finally:
        run_coroutine(made.close())


async def _started(engine: AsyncEngine) -> AsyncConnection:
    return await engine.connect()
