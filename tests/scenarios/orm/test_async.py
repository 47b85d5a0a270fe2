"""asyncio: awaitable attributes, AsyncSession, run_sync, gather."""

from __future__ import annotations

import pytest
from shop import aio
from shop.models import Order
from sqlalchemy import select
from sqlalchemy.exc import MissingGreenlet, StatementError


async def test_awaited_parent(async_session):
    """A parent awaited for each row."""
    assert len(await aio.names(async_session)) == 13


async def test_awaited_levels(async_session):
    """Two levels of awaited collections."""
    assert await aio.quantities(async_session) == 82


async def test_awaited_get(async_session):
    """An awaited get() for each key."""
    assert len(await aio.by_ids(async_session, [1, 2, 3])) == 3


async def test_run_sync(async_session):
    """Lazy loads in a function that run_sync() runs."""
    assert len(await aio.lines(async_session)) == 13


async def test_gather(async_engine):
    """Tasks of one gather() ask the same for different keys."""
    assert sum(await aio.order_counts(async_engine)) == 13


async def test_awaited_refresh(async_session):
    """An awaited refresh() for each row."""
    assert len(await aio.fresh(async_session)) == 4


async def test_awaited_deferred(async_session):
    """An awaited deferred column in an asynchronous comprehension."""
    assert await aio.bodies(async_session) == ["body"] * 4


async def test_awaited_tree(async_session):
    """A recursive coroutine walks down a tree."""
    assert len(await aio.outline(async_session)) == 9


async def test_stream_and_ask(async_session, async_engine):
    """A stream whose consumer asks for each row."""
    assert sum(await aio.streamed(async_session, async_engine)) == 13


async def test_awaited_merge(async_session):
    """An awaited merge() for each row."""
    with async_session.no_autoflush:
        assert await aio.merged(async_session, {1: 1, 2: 2, 3: 3}) == 6


# --- as it should be ---


async def test_awaited_joined(async_session):
    """Parents joined. # expect: none"""
    assert len(await aio.names_joined(async_session)) == 13


async def test_awaited_detail(async_session):
    """One row's relationships, awaited. # expect: none"""
    assert await aio.detail(async_session, 1) == ["name-0", "1", "2", "3"]


async def test_task_group(async_engine):
    """Two tasks of one group, two tables. # expect: none"""
    assert await aio.totals(async_engine) == (13, 38)


async def test_stream_loaded(async_session):
    """A stream that loads the collections of each batch at once. # expect: none"""
    assert sum(await aio.streamed_loaded(async_session)) == 13


async def test_awaited_deposit(async_session):
    """One row, committed and refreshed. # expect: none"""
    assert await aio.deposit(async_session, 1) == 1


async def test_refresh_of_collection(async_session):
    """refresh() loads a collection of one row. # expect: none"""
    assert await aio.with_items(async_session, 1) == [1, 2, 3]


async def test_awaited_but_loaded(async_session):
    """Awaited attributes that are loaded already. # expect: none"""
    assert await aio.awaited_but_loaded(async_session) == 38


async def test_awaited_commit(async_session):
    """A commit that expires nothing. # expect: none"""
    assert await aio.after_commit(async_session) == [1, 2, 3, 4]


async def test_missing_greenlet(async_session):
    """Lazy loads that fail for want of an await: nothing is sent. # expect: none"""
    for order in (await async_session.scalars(select(Order))).all():
        with pytest.raises((MissingGreenlet, StatementError)):
            assert order.customer
