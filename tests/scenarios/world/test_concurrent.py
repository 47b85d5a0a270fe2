"""More of asyncio: semaphores, as_completed, threads, queues, units of work."""

from __future__ import annotations

from shop import concurrent


async def test_semaphore(async_maker):
    """gather() under a semaphore, a question in each task."""
    assert len(await concurrent.names(async_maker, [1, 2, 3, 4, 5, 6])) == 6


async def test_as_completed(async_maker):
    """as_completed() over a question for each id."""
    assert await concurrent.stocks(async_maker, [1, 2, 3, 4, 5, 6]) == 300


async def test_to_thread_in_a_loop(maker):
    """to_thread() awaited in each round."""
    assert await concurrent.states(maker, [1, 2, 3, 4, 5, 6]) == ["open"] * 6


async def test_async_connection(async_maker):
    """An AsyncConnection asks in an async comprehension."""
    assert await concurrent.all_sizes(async_maker, [1, 2, 3]) == [6, 6, 6]


async def test_refresh_of_a_collection(async_session):
    """refresh() of a relationship for each row: async code's way to load lazily."""
    assert await concurrent.refreshed_collections(async_session) == 36


async def test_async_executemany(async_maker):
    """One executemany in a unit of work. # expect: none"""
    await concurrent.log_all(async_maker, ["a", "b", "c"])


async def test_chunks_gathered(async_maker):
    """IN lists of four, gathered: no loop, but rows are fetched only to count them."""
    assert await concurrent.in_chunks(async_maker, list(range(1, 13)), 4) == 12


async def test_async_generator_of_pages(async_session):
    """An async generator of keyset pages. # expect: none"""
    assert await concurrent.walk(async_session, 10) == 72


async def test_task_group_of_two_questions(async_maker):
    """Two tasks with different questions. # expect: none"""
    assert await concurrent.summary(async_maker) == {"above": 11, "all": 12}


async def test_async_queue(async_maker):
    """A worker claims a job a transaction. # expect: none"""
    assert await concurrent.work(async_maker) == 6


async def test_async_use_case(async_maker):
    """Read, change, commit. # expect: none"""
    assert await concurrent.rename(async_maker, 5, "novels") == "novels"
