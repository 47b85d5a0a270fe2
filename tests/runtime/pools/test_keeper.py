"""One thread looks after the pools of threads and of tasks."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from pytest_dbguard.runtime.pools.keeper import Keeper
from pytest_dbguard.runtime.pools.policy import PoolPolicy
from pytest_dbguard.runtime.pools.queue_pool import AsyncGuardedQueuePool
from pytest_dbguard.runtime.pools.stats import PoolStats
from tests.runtime.waiting import WATCHDOG_S, eventually


@pytest.fixture
def keeper():
    with Keeper(every_s=0.001) as made:
        yield made
    assert not made.is_running


def test_leaks_are_told_while_nobody_asks(make_pool, clock, told, keeper):
    pool = make_pool(leak_after_s=30)
    keeper.watch(pool.stats)
    held = pool.connect()
    clock.move(31)
    eventually(lambda: told.actions == ["leak"])
    held.close()


def test_pools_that_are_made_anew_are_looked_after(make_pool, clock, database, keeper):
    pool = make_pool(max_idle_s=60)
    keeper.watch(pool.stats)
    pool.dispose()
    pool = pool.recreate()
    pool.connect().close()
    clock.move(60)
    eventually(lambda: database.open == set())


def test_trouble_with_one_pool_does_not_end_the_care_for_others(make_pool, clock, database, monkeypatch, caplog):
    one, two = make_pool(), make_pool(max_idle_s=60)
    keeper = Keeper()
    for pool in (one, two):
        keeper.watch(pool.stats)

    def fail():
        raise RuntimeError("secret text")

    monkeypatch.setattr(one, "evict", fail)
    two.connect().close()
    clock.move(60)
    assert keeper.run_once().closed == 1
    assert "looking after a pool failed: RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_starting_and_stopping_twice_is_no_harm():
    keeper = Keeper(every_s=0.001)
    assert keeper.stop()
    keeper.start()
    keeper.start()
    assert keeper.is_running
    assert keeper.stop()
    assert keeper.stop()
    assert not keeper.is_running
    keeper.start()
    assert keeper.is_running
    keeper.stop()


def test_only_one_thread_runs_however_many_start_it():
    keeper = Keeper(every_s=0.001)
    threads = [threading.Thread(target=keeper.start) for _ in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(each.name == "dbguard-pool-keeper" for each in threading.enumerate()) == 1
    keeper.stop()


def test_a_connection_opened_after_the_end_wakes_nobody(make_pool):
    pool = make_pool()
    keeper = Keeper()
    keeper.watch(pool.stats)
    keeper.start()
    keeper.stop()
    pool.connect().close()
    assert not keeper.is_running


@pytest.fixture
async def engine(tmp_path, clock):
    made = create_async_engine(
        f"sqlite+aiosqlite:///{tmp_path}/it.db",
        poolclass=AsyncGuardedQueuePool,
        policy=PoolPolicy(max_idle_s=60, leak_after_s=30),
        clock=clock,
    )
    yield made
    await made.dispose()


async def test_the_pool_of_an_event_loop_is_looked_after_there(engine, clock, keeper):
    keeper.watch(engine.pool.stats)
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    clock.move(60)
    async with asyncio.timeout(WATCHDOG_S):
        while engine.pool.stats.snapshot().idle:
            await asyncio.sleep(0.001)
    assert engine.pool.stats.snapshot().closed == {"idle": 1}


def test_leaks_are_told_when_the_event_loop_has_ended(tmp_path, clock, told):
    engine = None

    async def leave():
        nonlocal engine
        engine = create_async_engine(
            f"sqlite+aiosqlite:///{tmp_path}/it.db",
            poolclass=AsyncGuardedQueuePool,
            policy=PoolPolicy(leak_after_s=30),
            clock=clock,
        )
        return await engine.raw_connection()

    held = asyncio.run(leave())
    engine.pool.stats.on_event = told
    keeper = Keeper()
    keeper.watch(engine.pool.stats)
    clock.move(31)
    assert keeper.run_once().leaks == 1
    assert told.actions == ["leak"]

    async def end():
        await held.driver_connection.close()

    asyncio.run(end())
    held.detach()


async def test_a_busy_event_loop_does_not_hold_the_keeper_up(engine, clock):
    """The loop is this thread, which waits for the keeper's end without running it."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    keeper = Keeper(every_s=0.001)
    keeper.watch(engine.pool.stats)
    keeper.start()
    try:
        assert keeper.stop(WATCHDOG_S)
    finally:
        keeper.stop()


async def test_asked_in_the_loop_itself_it_only_looks_for_leaks(engine, clock):
    keeper = Keeper()
    keeper.watch(engine.pool.stats)
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        clock.move(60)
        assert keeper.run_once().leaks == 1


def test_a_plain_pool_is_left_alone():
    stats = PoolStats()

    class Other:
        def gauges(self):
            return 1, 0, 0, 0, 0

        def forget(self, lock):
            pass

    other = Other()
    stats.watch(other)
    keeper = Keeper()
    keeper.watch(stats)
    assert keeper.run_once().closed == 0


def test_a_sqlite_engine_is_looked_after(tmp_path, clock):
    from pytest_dbguard.runtime.pools.queue_pool import GuardedQueuePool

    engine = create_engine(f"sqlite:///{tmp_path}/it.db", poolclass=GuardedQueuePool, clock=clock)
    keeper = Keeper()
    keeper.watch(engine.pool.stats)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    clock.move(engine.pool.policy.keepalive_s)
    done = keeper.run_once()
    assert (done.checked, done.closed) == (1, 0)
    clock.move(engine.pool.policy.max_idle_s)
    assert keeper.run_once().closed == 1
