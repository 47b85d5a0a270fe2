"""Pools of asynchronous engines outlive event loops, and close without one."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
import warnings
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import AsyncAdaptedQueuePool

from pytest_dbguard.databases.engines import make_async_engine

SELECT = text("SELECT 1")


@dataclass
class Database:
    """A database by another driver."""

    async_url: Any


def urls(database):
    yield database.async_url
    if database.kind != "sqlite":
        yield database.async_url.set(drivername="postgresql+asyncpg")


@pytest.fixture(params=[0, 1])
def engine(database, request):
    """An engine of each driver."""
    found = list(urls(database))
    engine = make_async_engine(Database(found[min(request.param, len(found) - 1)]))
    yield engine
    asyncio.run(engine.dispose())


async def use(engine):
    async with engine.connect() as connection:
        assert await connection.scalar(SELECT) == 1
        return (await connection.get_raw_connection()).driver_connection


def test_one_pool_serves_all_loops(engine):
    first = asyncio.run(use(engine))
    second = asyncio.run(use(engine))
    third = anyio.run(use, engine)
    assert isinstance(engine.pool, AsyncAdaptedQueuePool)
    if engine.dialect.driver == "asyncpg":
        assert first.is_closed() and second.is_closed() and not third.is_closed()
    else:
        assert first is second is third


def test_one_loop_keeps_its_connection(engine):
    async def twice():
        return await use(engine) is await use(engine)

    assert asyncio.run(twice())


def test_many_tasks_never_wait_for_a_connection(engine):
    async def many():
        return await asyncio.gather(*(use(engine) for _ in range(20)))

    for _ in range(2):
        assert len(asyncio.run(many())) == 20


def test_what_a_loop_leaves_behind_is_replaced(engine):
    async def leave():
        session = AsyncSession(engine)
        await session.execute(SELECT)
        await session.close()

    asyncio.run(leave())
    # SQLAlchemy asks the pool to replace them, with the loop that runs now
    engine.sync_engine.pool._invalidate_time = float("inf")
    asyncio.run(use(engine))
    engine.sync_engine.pool._invalidate_time = 0
    asyncio.run(use(engine))


@pytest.mark.parametrize("driver", [0, 1])
def test_an_engine_that_nobody_closes_warns_of_nothing(database, driver):
    found = list(urls(database))
    gc.collect()  # what other tests left shall not warn here
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        engine = make_async_engine(Database(found[min(driver, len(found) - 1)]))
        asyncio.run(use(engine))
        del engine
        gc.collect()
    assert [str(each.message) for each in caught] == []


def test_python_ends_though_a_connection_is_open():
    program = """
        import asyncio, sqlite3
        from dataclasses import dataclass
        from sqlalchemy import make_url, text
        from pytest_dbguard.databases.engines import make_async_engine

        @dataclass
        class Database:
            async_url: object = make_url("sqlite+aiosqlite:///file:/ends?vfs=memdb&uri=true")

        engine = make_async_engine(Database())

        async def use():
            async with engine.connect() as connection:
                print(await connection.scalar(text("SELECT 1")))

        asyncio.run(use())
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("1\n", "", 0)
