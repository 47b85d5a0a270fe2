"""Pools on a database of no use, with a clock to move."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from pytest_dbguard.runtime.pools.policy import PoolPolicy
from pytest_dbguard.runtime.pools.queue_pool import AsyncGuardedQueuePool, GuardedQueuePool
from tests.runtime.pools.fakes import FakeClock, FakeDatabase, Told
from tests.runtime.pools.tasks import Gate
from tests.runtime.waiting import WATCHDOG_S


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def database():
    return FakeDatabase()


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def make_pool(clock, database, told):
    """Return a function that makes a pool: `make_pool(size, overflow, timeout, max_waiting=3)`."""

    def make(size=2, overflow=0, timeout=WATCHDOG_S, *, chance=lambda: 0.0, stats=None, use_lifo=True, **policy):
        pool = GuardedQueuePool(
            database.connect,
            size,
            overflow,
            timeout,
            use_lifo,
            policy=PoolPolicy(**policy),
            stats=stats,
            clock=clock,
            chance=chance,
        )
        pool.stats.on_event = told
        return pool

    return make


@pytest.fixture
async def opening():
    return Gate()


@pytest.fixture
async def closing():
    return Gate()


@pytest.fixture
async def make_task_pool(clock, database, told, opening, closing, monkeypatch):
    def make(size=2, overflow=0, timeout=WATCHDOG_S, **policy):
        def connect():
            opening()
            return database.connect()

        pool = AsyncGuardedQueuePool(connect, size, overflow, timeout, policy=PoolPolicy(**policy), clock=clock)
        close = pool._close_connection

        def slow_close(connection, *, terminate=False):
            try:
                closing()
            finally:
                close(connection, terminate=terminate)

        monkeypatch.setattr(pool, "_close_connection", slow_close)
        pool.stats.on_event = told
        return pool

    return make


@pytest.fixture
async def task_engine(tmp_path):
    made = create_async_engine(
        f"sqlite+aiosqlite:///{tmp_path}/it.db", poolclass=AsyncGuardedQueuePool, pool_size=2, max_overflow=0
    )
    yield made
    await made.dispose()
