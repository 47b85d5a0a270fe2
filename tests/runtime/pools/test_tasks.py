"""The pool for tasks: served in order, within limits and in time; nothing blocks the event loop."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from pytest_dbguard.runtime.errors import PoolExhausted, PoolSaturated, ShuttingDown
from tests.runtime.pools.tasks import give, is_whole, settle, take, waiting
from tests.runtime.waiting import WATCHDOG_S, eventually


async def test_who_waits_gets_what_comes_back(make_task_pool, database):
    pool = make_task_pool(1)
    held = await take(pool)
    task = asyncio.create_task(take(pool))
    await settle(lambda: waiting(pool) == 1)
    await give(held)
    await give(await task)
    assert database.opened == 1


async def test_tasks_are_served_in_order(make_task_pool):
    pool = make_task_pool(2)
    order = []

    async def call(number):
        proxy = await take(pool)
        order.append(number)
        await asyncio.sleep(0)
        await give(proxy)

    await asyncio.gather(*(call(number) for number in range(200)))
    assert order == list(range(200))
    figures = pool.stats.snapshot()
    assert figures.use.count == figures.wait.count == 200
    assert figures.connected == 2


async def test_more_tasks_than_may_wait_are_refused(make_task_pool):
    pool = make_task_pool(1, max_waiting=5)
    held = await take(pool)
    tasks = [asyncio.create_task(take(pool)) for _ in range(20)]
    await settle(lambda: pool.stats.snapshot().shed == 15)
    assert waiting(pool) == 5
    await give(held)
    kept = [task for task in tasks if not task.done()]
    for task in kept:
        await give(await task)
    assert sum(isinstance(task.exception(), PoolSaturated) for task in tasks if task not in kept) == 15


async def test_an_exhausted_pool_names_the_task(make_task_pool):
    pool = make_task_pool(1, timeout=0.01)

    async def hold():
        return await take(pool)

    task = asyncio.create_task(hold(), name="import of orders")
    held = await task
    with pytest.raises(PoolExhausted) as caught:
        await take(pool)
    assert "held for 0.00 s by task import of orders at" in str(caught.value)
    assert "test_tasks.py" in str(caught.value)
    assert "in take < " in str(caught.value)
    assert "in hold" in str(caught.value)
    assert len(pool.checked_out()[0].stack) == 2
    del task
    gc.collect()
    assert [each.owner for each in pool.checked_out()] == ["a task that has ended"]
    await give(held)


async def test_an_opening_ends_in_time(make_task_pool, opening):
    pool = make_task_pool(1, connect_timeout_s=0.01)
    opening.shut()
    with pytest.raises(TimeoutError, match=r"no connection could be opened within 0\.01 s"):
        await take(pool)
    opening.open()
    await give(await take(pool))
    assert (pool.stats.snapshot().failed, pool.stats.snapshot().connected) == (1, 1)


async def test_a_pool_that_refuses_wakes_tasks(make_task_pool, database):
    pool = make_task_pool(1)
    held = await take(pool)
    task = asyncio.create_task(take(pool))
    await settle(lambda: waiting(pool) == 1)
    pool.refuse()
    with pytest.raises(ShuttingDown):
        await task
    assert not await pool.wait_until_idle(0.001)
    unused = asyncio.create_task(pool.wait_until_idle(WATCHDOG_S))
    await settle(lambda: pool.slots._when_unused)
    await give(held)
    assert await unused is True
    assert database.open == set()


async def test_what_is_called_outside_of_a_greenlet_is_done_by_the_next_eviction(make_task_pool, database):
    pool = make_task_pool(3)
    held = [await take(pool) for _ in range(3)]
    for each in held:
        await give(each)
    pool.drain()
    assert len(database.open) == 3
    assert (await pool.evict_async()).closed == 3
    assert database.open == set()
    assert await pool.warm_up_async(2) == 2
    await pool.drain_async()
    assert database.open == set()
    await pool.evict_async()
    await pool.close_for_good_async()
    assert database.open == set()
    assert is_whole(pool, database)


async def test_a_wait_in_another_thread_is_served_from_here(make_task_pool):
    """Two event loops share a pool, as with a web server's loop and a background thread's."""
    pool = make_task_pool(1)
    held = await take(pool)
    results = []

    async def other():
        proxy = await take(pool)
        results.append(proxy.dbapi_connection)
        await give(proxy)

    thread = threading.Thread(target=lambda: asyncio.run(other()))
    thread.start()
    await asyncio.to_thread(lambda: eventually(lambda: waiting(pool) == 1))
    await give(held)
    await asyncio.to_thread(thread.join, WATCHDOG_S)
    assert len(results) == 1
    await give(await take(pool))


async def test_a_wait_whose_loop_was_closed_is_passed_over(make_task_pool):
    pool = make_task_pool(1)
    held = await take(pool)

    def abandon():
        loop = asyncio.new_event_loop()
        task = loop.create_task(take(pool))
        task._log_destroy_pending = False
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        return task

    left = await asyncio.to_thread(abandon)
    assert waiting(pool) == 1
    task = asyncio.create_task(take(pool))
    await settle(lambda: waiting(pool) == 2)
    await give(held)
    await give(await task)
    assert not left.done()


@pytest.mark.filterwarnings("ignore:The garbage collector is trying to clean up non-checked-in connection")
async def test_what_the_garbage_collector_finds_is_counted_and_its_place_freed(task_engine, told):
    task_engine.pool.stats.on_event = told
    connection = await task_engine.raw_connection()
    assert task_engine.pool.stats.snapshot().in_use == 1
    del connection
    gc.collect()
    figures = task_engine.pool.stats.snapshot()
    assert (figures.collected, figures.in_use) == (1, 0)
    assert figures.closed == {"collected": 1}
    assert told.actions == ["collected"]


async def test_taking_one_out_of_the_pool_is_no_collection(task_engine):
    connection = await task_engine.raw_connection()
    driver = connection.driver_connection
    connection.detach()
    assert task_engine.pool.stats.snapshot().collected == 0
    assert task_engine.pool.stats.snapshot().closed == {"detached": 1}
    await driver.close()
