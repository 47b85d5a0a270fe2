"""A task that is cancelled, at whatever moment, loses neither a connection nor its place."""

from __future__ import annotations

import asyncio
import gc
import random

from sqlalchemy import text
from sqlalchemy.util import greenlet_spawn

from tests.runtime.pools.fakes import balance
from tests.runtime.pools.tasks import Gate, cancelled, give, is_whole, settle, take, waiting


async def test_a_task_cancelled_while_it_waits_leaves_the_queue(make_task_pool, database):
    pool = make_task_pool(1)
    held = await take(pool)
    first, second = (asyncio.create_task(take(pool)) for _ in range(2))
    await settle(lambda: waiting(pool) == 2)
    await cancelled(first)
    assert waiting(pool) == 1
    await give(held)
    await give(await second)
    assert is_whole(pool, database)


async def test_a_task_cancelled_as_it_is_served_passes_it_on(make_task_pool, database):
    """It was given the connection, and never ran again to take it."""
    pool = make_task_pool(1)
    held = await take(pool)
    first, second = (asyncio.create_task(take(pool)) for _ in range(2))
    await settle(lambda: waiting(pool) == 2)
    await give(held)
    await cancelled(first)
    await give(await second)
    assert is_whole(pool, database)
    assert database.opened == 1


async def test_a_task_cancelled_before_it_is_served_is_passed_over(make_task_pool, database):
    pool = make_task_pool(1)
    held = await take(pool)
    first, second = (asyncio.create_task(take(pool)) for _ in range(2))
    await settle(lambda: waiting(pool) == 2)
    first.cancel()  # it has not run yet when the connection comes back
    await give(held)
    await give(await second)
    assert first.cancelled()
    assert is_whole(pool, database)


async def test_a_task_cancelled_as_it_may_open_one_passes_that_on(make_task_pool, database):
    pool = make_task_pool(1)
    held = await take(pool)
    first, second = (asyncio.create_task(take(pool)) for _ in range(2))
    await settle(lambda: waiting(pool) == 2)
    await greenlet_spawn(held.invalidate)
    await cancelled(first)
    await give(await second)
    assert is_whole(pool, database)


async def test_a_task_cancelled_while_it_connects_frees_its_place(make_task_pool, database, opening):
    pool = make_task_pool(1)
    opening.shut()
    first = asyncio.create_task(take(pool))
    await opening.is_reached()
    second = asyncio.create_task(take(pool))
    await settle(lambda: waiting(pool) == 1)
    await cancelled(first)
    opening.open()
    await give(await second)
    assert is_whole(pool, database)
    assert pool.stats.snapshot().failed == 1


async def test_a_task_cancelled_while_its_connection_is_asked_frees_its_place(make_task_pool, database, monkeypatch):
    pool = make_task_pool(1, check_after_idle_s=0)
    await give(await take(pool))
    pool.clock.move(1)
    asking = Gate()
    asking.shut()
    monkeypatch.setattr("pytest_dbguard.runtime.pools.guarded.check", lambda *_: asking())
    task = asyncio.create_task(take(pool))
    await asking.is_reached()
    await cancelled(task)
    assert is_whole(pool, database)
    assert pool.stats.snapshot().closed == {"invalidated": 1}
    monkeypatch.undo()
    await give(await take(pool))


async def test_a_task_cancelled_while_it_closes_frees_its_place(make_task_pool, database, closing):
    pool = make_task_pool(1)
    held = await take(pool)
    pool.drain()
    closing.shut()
    task = asyncio.create_task(give(held))
    await closing.is_reached()
    await cancelled(task)
    assert is_whole(pool, database)
    closing.open()
    await give(await take(pool))


async def test_an_eviction_that_is_cancelled_loses_no_place(make_task_pool, database, closing):
    pool = make_task_pool(3)
    held = [await take(pool) for _ in range(3)]
    for each in held:
        await give(each)
    pool.clock.move(pool.policy.max_idle_s)
    closing.shut()
    task = asyncio.create_task(pool.evict_async())
    await closing.is_reached()
    await cancelled(task)
    assert is_whole(pool, database)
    closing.open()
    await pool.evict_async()
    assert database.open == set()
    assert is_whole(pool, database)


async def test_a_task_cancelled_while_it_holds_one_gives_it_back(task_engine):
    holding = asyncio.Event()

    async def hold():
        async with task_engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            holding.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await holding.wait()
    await cancelled(task)
    await settle(lambda: task_engine.pool.stats.snapshot().in_use == 0)
    async with task_engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1


async def test_tasks_cancelled_at_random_lose_nothing(task_engine):
    chance = random.Random(5)

    async def call():
        async with task_engine.connect() as connection:
            await connection.scalar(text("SELECT 1"))
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(call()) for _ in range(200)]
    while any(not task.done() for task in tasks):
        chance.choice(tasks).cancel()
        await asyncio.sleep(0.0005)
    assert all(task.cancelled() or task.exception() is None for task in tasks)
    gc.collect()
    figures = task_engine.pool.stats.snapshot()
    assert (figures.in_use, figures.waiting) == (0, 0)
    assert balance(figures) == figures.idle
    async with task_engine.connect() as connection, task_engine.connect():
        assert await connection.scalar(text("SELECT 1")) == 1
