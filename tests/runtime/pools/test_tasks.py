"""The pool for tasks: cancelled at whatever moment, no place is lost; nothing blocks the event loop."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import await_only, greenlet_spawn

from pytest_dbguard.runtime.errors import PoolExhausted, PoolSaturated, ShuttingDown
from pytest_dbguard.runtime.pools.policy import PoolPolicy
from pytest_dbguard.runtime.pools.queue_pool import AsyncGuardedQueuePool
from tests.runtime.pools.fakes import WATCHDOG_S, balance


class Gate:
    """What an opening, an answer or an end waits for; open unless a test closes it."""

    def __init__(self):
        self.reached, self._open = asyncio.Event(), asyncio.Event()
        self._open.set()

    def shut(self):
        self._open.clear()

    def open(self):
        self._open.set()

    async def is_reached(self):
        async with asyncio.timeout(WATCHDOG_S):
            await self.reached.wait()

    def __call__(self):
        self.reached.set()
        await_only(self._open.wait())


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


async def take(pool):
    return await greenlet_spawn(pool.connect)


async def give(proxy):
    await greenlet_spawn(proxy.close, _require_await=False)


async def settle(condition):
    async with asyncio.timeout(WATCHDOG_S):
        while not condition():
            await asyncio.sleep(0)


async def cancelled(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def waiting(pool):
    return pool.stats.snapshot().waiting


def is_whole(pool, database):
    """Whether nothing is out, and the figures fit what is open."""
    figures = pool.stats.snapshot()
    return (figures.in_use, figures.waiting) == (0, 0) and balance(figures) == figures.idle == len(database.open)


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
    await asyncio.to_thread(lambda: _until(lambda: waiting(pool) == 1))
    await give(held)
    await asyncio.to_thread(thread.join, WATCHDOG_S)
    assert len(results) == 1
    await give(await take(pool))


def _until(condition):
    from tests.runtime.pools.fakes import eventually

    eventually(condition)


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


@pytest.fixture
async def engine(tmp_path):
    made = create_async_engine(
        f"sqlite+aiosqlite:///{tmp_path}/it.db", poolclass=AsyncGuardedQueuePool, pool_size=2, max_overflow=0
    )
    yield made
    await made.dispose()


async def test_a_task_cancelled_while_it_holds_one_gives_it_back(engine):
    holding = asyncio.Event()

    async def hold():
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            holding.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await holding.wait()
    await cancelled(task)
    await settle(lambda: engine.pool.stats.snapshot().in_use == 0)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1


async def test_tasks_cancelled_at_random_lose_nothing(engine):
    import random

    chance = random.Random(5)

    async def call():
        async with engine.connect() as connection:
            await connection.scalar(text("SELECT 1"))
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(call()) for _ in range(200)]
    while any(not task.done() for task in tasks):
        chance.choice(tasks).cancel()
        await asyncio.sleep(0.0005)
    assert all(task.cancelled() or task.exception() is None for task in tasks)
    gc.collect()
    figures = engine.pool.stats.snapshot()
    assert (figures.in_use, figures.waiting) == (0, 0)
    assert balance(figures) == figures.idle
    async with engine.connect() as connection, engine.connect():
        assert await connection.scalar(text("SELECT 1")) == 1


@pytest.mark.filterwarnings("ignore:The garbage collector is trying to clean up non-checked-in connection")
async def test_what_the_garbage_collector_finds_is_counted_and_its_place_freed(engine, told):
    engine.pool.stats.on_event = told
    connection = await engine.raw_connection()
    assert engine.pool.stats.snapshot().in_use == 1
    del connection
    gc.collect()
    figures = engine.pool.stats.snapshot()
    assert (figures.collected, figures.in_use) == (1, 0)
    assert figures.closed == {"collected": 1}
    assert told.actions == ["collected"]


async def test_taking_one_out_of_the_pool_is_no_collection(engine):
    connection = await engine.raw_connection()
    driver = connection.driver_connection
    connection.detach()
    assert engine.pool.stats.snapshot().collected == 0
    assert engine.pool.stats.snapshot().closed == {"detached": 1}
    await driver.close()
