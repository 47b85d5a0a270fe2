"""asyncio: loops that await, sibling tasks, streams."""

from __future__ import annotations

import asyncio

from shop import asynchronous as app


async def test_await_in_a_loop(async_session):
    """A statement awaited in each round."""
    assert len(await app.names(async_session, [1, 2, 3, 4])) == 4


async def test_async_get(async_session):
    """session.get() awaited in a comprehension."""
    assert all(await app.get_all(async_session, [1, 2, 3]))


async def test_gather(async_maker):
    """One statement in each task of a gather()."""
    assert await app.prices_gathered(async_maker, [1, 2, 3, 4, 5, 6]) == 75


async def test_task_group(async_maker):
    """One statement in each task of a TaskGroup."""
    assert await app.prices_grouped(async_maker, [1, 2, 3, 4, 5, 6]) == 75


async def test_async_generator(async_session):
    """An async generator yields, its consumer asks."""
    assert len(await app.states(async_session)) == 12


async def test_run_sync(async_session):
    """Lazy loads of a plain function below run_sync()."""
    assert len(await app.lazy_through_run_sync(async_session)) == 12


async def test_async_flush(async_session):
    """A flush awaited in each round."""
    await app.log_each(async_session, ["a", "b", "c"])


async def test_async_commit(async_session):
    """A commit awaited in each round."""
    await app.commit_each(async_session, ["a", "b", "c"])


async def test_gather_of_four_questions(async_maker):
    """gather() of four statements on four tables. # expect: none"""
    assert await app.dashboard(async_maker) == (6, 12, 12, 10)


async def test_async_stream(async_session):
    """An async stream of one cursor. # expect: none"""
    assert await app.streamed(async_session) == 1266


async def test_async_selectin(async_session):
    """Collections loaded with the query. # expect: none"""
    assert await app.loaded(async_session) == 36


async def test_async_in_list(async_session):
    """One IN list. # expect: none"""
    assert len(await app.rates(async_session, ["EUR", "USD"])) == 2


async def test_async_keyset(async_session):
    """Keyset pages awaited one after the other. # expect: none"""
    assert await app.paged(async_session, 5) == 12


async def test_async_polling(async_session):
    """Polling that ends when the state is right, or gives up. # expect: none"""
    assert await app.wait_for(async_session, 1, 4) == "open"


async def test_two_messages_handled(async_maker):
    """Two consumers' tasks, started on two lines of the test. # expect: none"""
    first = asyncio.create_task(app.handle(async_maker, 1))
    second = asyncio.create_task(app.handle(async_maker, 2))
    assert [await first, await second] == ["open", "open"]


async def test_async_retry(async_maker):
    """A retry loop whose session is new each time. # expect: none"""
    assert await app.retry(async_maker, 1, 3) == "open"
