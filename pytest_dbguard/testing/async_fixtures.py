"""The asynchronous database fixtures, without any plugin for asyncio: ordinary fixtures for tests of any of them.

Connection and rollback run in an event loop of our own, before and after the test; the test uses the connection in
its loop, whoever runs that: pytest-asyncio in either mode and with any loop scope, anyio's plugin on its asyncio
backend, or `asyncio.run` in the test. psycopg and aiosqlite allow that, since neither ties a connection to a loop;
asyncpg would not.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.pool import StaticPool

from pytest_dbguard.databases.base import Database
from pytest_dbguard.databases.engines import make_async_engine
from pytest_dbguard.resets.outer_transaction import OuterTransaction

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

T = TypeVar("T")


class AsyncIsolation:
    """Gives each test an asynchronous connection inside a transaction that is rolled back."""

    def __init__(self, database: Database) -> None:
        self._engine = make_async_engine(database, poolclass=StaticPool, pool_reset_on_return=None)
        self._outer = OuterTransaction(self._engine.sync_engine)
        self._loop = asyncio.new_event_loop()

    @contextmanager
    def connection(self) -> Iterator[AsyncConnection]:
        """Give a connection to a test."""
        connection = self.run(self._opened())
        try:
            yield connection
        finally:
            self.run(self._rolled_back(connection))

    @contextmanager
    def session(self, connection: AsyncConnection) -> Iterator[AsyncSession]:
        """Give a session on a test's connection to it; attributes stay readable after a commit."""
        from sqlalchemy.ext.asyncio import AsyncSession

        session = AsyncSession(bind=connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        try:
            yield session
        finally:
            self.run(session.close())

    async def _opened(self) -> AsyncConnection:
        connection = await self._engine.connect()
        await connection.run_sync(self._outer.open)
        return connection

    async def _rolled_back(self, connection: AsyncConnection) -> None:
        lost = connection.invalidated
        try:
            await connection.close()
            async with self._engine.connect() as same:
                await same.run_sync(self._outer.close)
        finally:
            # A test may leave the connection in any state, even in the middle of a cancelled statement.
            await self._engine.dispose()
            if lost:
                # SQLite keeps a closed connection's transaction until the last cursor of it is gone, and a
                # cancelled statement's cursor hangs in the traceback of its task.
                gc.collect()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in our loop; from another thread when a loop is running in this one."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._loop.run_until_complete(work)
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._loop.run_until_complete, work).result()

    def close(self) -> None:
        """Close our loop."""
        self._loop.close()
