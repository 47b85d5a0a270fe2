"""Threads and tasks: every statement is heard, each in the scope of the context that sent it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from application import Customer, Job
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from pytest_dbguard.recording.scopes import Scope


def ask(engine, number=1):
    with Session(engine) as session:
        return session.get(Customer, number).name


async def ask_async(engine, number=1):
    async with AsyncSession(engine) as session:
        return (await session.get(Customer, number)).name


def in_threads(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_without_context_are_recorded_as_the_tests(engine, watch):
    in_threads(*[lambda: ask(engine)] * 4)
    assert watch.count == 4
    assert {statement.site.function for statement in watch.statements} == {"ask"}
    assert not any(statement.stack.is_rooted for statement in watch.statements)


def test_thread_pools(engine, watch):
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda number: ask(engine, number), [1, 2, 3, 4])) == [f"customer{i}" for i in range(4)]
    assert watch.count == 4


async def test_threads_that_asyncio_starts(engine, watch):
    await asyncio.gather(*(asyncio.to_thread(ask, engine) for _ in range(3)))
    await asyncio.get_running_loop().run_in_executor(None, ask, engine)
    assert watch.count == 4


async def test_tasks_of_one_gather(async_engine, watch):
    names = await asyncio.gather(*(ask_async(async_engine, number) for number in (1, 2, 3, 4)))
    assert names == [f"customer{i}" for i in range(4)]
    assert watch.count == 4
    assert {statement.site.function for statement in watch.statements} == {"ask_async"}


async def test_tasks_of_a_group(async_engine, watch):
    async with asyncio.TaskGroup() as group:
        for number in (1, 2, 3):
            group.create_task(ask_async(async_engine, number))
    assert watch.count == 3


async def test_an_async_stack_goes_on_behind_the_greenlet(async_engine, watch):
    """The ORM runs in a greenlet; the coroutines that await it are on the stack all the same."""

    async def inner():
        return await ask_async(async_engine)

    await inner()
    functions = [frame.info.function.rsplit(".", 1)[-1] for frame in watch.statements[0].stack.frames]
    assert functions[:3] == ["ask_async", "inner", "test_an_async_stack_goes_on_behind_the_greenlet"]


def test_nested_scopes_in_threads_do_not_mix(engine, watch):
    """Each thread enters a scope of its own; a barrier makes them ask at the same time."""
    scopes = [Scope("the test", f"GET /{number}") for number in range(3)]
    barrier = threading.Barrier(len(scopes))

    def serve(scope, times):
        with watch.recorder.nested(scope):
            for _ in range(times):
                barrier.wait()
                ask(engine)

    in_threads(*[lambda scope=scope: serve(scope, 3) for scope in scopes])
    assert [scope.count for scope in scopes] == [3, 3, 3]
    assert watch.count == 0
    assert watch.scope.recording().total_count == 9


async def test_nested_scopes_in_tasks_do_not_mix(async_engine, watch):
    scopes = [Scope("the test", f"GET /{number}") for number in range(3)]
    barrier = asyncio.Barrier(len(scopes))

    async def serve(scope):
        with watch.recorder.nested(scope):
            for _ in range(3):
                await barrier.wait()
                await ask_async(async_engine)

    await asyncio.gather(*map(serve, scopes))
    assert [scope.count for scope in scopes] == [3, 3, 3]
    assert watch.count == 0


async def test_a_task_takes_its_scope_along(async_engine, watch):
    """Tasks copy the context they are made in: work that a request starts stays the request's."""
    scope = Scope("the test", "GET /")
    with watch.recorder.nested(scope):
        task = asyncio.create_task(ask_async(async_engine))
    await task
    assert (scope.count, watch.count) == (1, 0)


def test_a_copied_context_takes_the_scope_along(engine, watch):
    scope = Scope("the test", "GET /")
    with watch.recorder.nested(scope):
        context = copy_context()
    in_threads(lambda: context.run(ask, engine))
    assert (scope.count, watch.count) == (1, 0)


def test_flushes_of_threads_have_numbers_of_their_own(engine, watch):
    """Two flushes that run at the same time: the statements of each carry one number, another one each."""
    barrier = threading.Barrier(2)
    lock = threading.Lock()

    class Kept(Session):
        def flush(self, objects=None):
            barrier.wait()
            # SQLite lets one writer in; the number is what matters
            with lock:
                super().flush(objects)
                self.rollback()

    def write():
        with Kept(engine, autoflush=False) as session:
            session.add_all([Job(), Customer(name="new")])
            session.flush()

    in_threads(write, write)
    flushes = [statement.flush for statement in watch.statements]
    assert len(flushes) == 4
    assert flushes[0] == flushes[1] != flushes[2] == flushes[3]


def test_counts_are_exact_under_many_threads(engine, watch):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ask(engine), range(200)))
    assert (watch.count, len(watch.statements)) == (200, 200)
