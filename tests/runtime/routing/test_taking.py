"""Taking the position of a commit: in one round trip, in bounded time, and never at the commit's expense."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import delete, func, select

from pytest_dbguard.runtime.routing import LATEST, AsyncRoutingSession, RoutingSession, position_scope
from pytest_dbguard.runtime.routing.asking import ask
from tests.runtime.routing.small_manager import Order
from tests.runtime.waiting import eventually

COUNT = select(func.count()).select_from(Order)
TAKING = "pytest_dbguard.runtime.routing.taking"
QUERIES = {
    "frozen": "SELECT pg_sleep(60)::text, '1'",
    "gone": "SELECT pg_terminate_backend(pg_backend_pid())::text, '1'",
}


def test_it_is_asked_once_and_begins_no_transaction(small, monkeypatch):
    manager = small()
    states = []

    def ask_and_note(driver, query, seconds):
        states.append(driver.info.transaction_status.name)
        row = ask(driver, query, seconds)
        states.append(driver.info.transaction_status.name)
        return row

    monkeypatch.setattr(f"{TAKING}.ask", ask_and_note)
    with RoutingSession(manager) as session:
        session.execute(delete(Order))
        session.add(Order(id=9, customer_id=1))
        with session.begin_nested():
            session.add(Order(id=10, customer_id=1))
        session.commit()
        session.scalar(COUNT)
        session.commit()
    assert states == ["IDLE", "IDLE"]


@pytest.mark.parametrize("fault", QUERIES)
def test_a_primary_that_does_not_answer_after_a_commit_costs_a_moment(small, monkeypatch, postgres, fault):
    manager = small()
    monkeypatch.setattr(f"{TAKING}._TAKE_S", 0.05)
    monkeypatch.setattr(f"{TAKING}.COMMIT_QUERY", QUERIES[fault])
    with RoutingSession(manager) as session:
        session.execute(delete(Order))
        session.commit()
        assert session.position is LATEST
        monkeypatch.undo()
        assert session.scalar(COUNT) == 0
        session.execute(delete(Order))
        session.commit()
        assert session.position < LATEST
    assert postgres.scalar("SELECT count(*) FROM routed_order") == 0
    assert manager.engine().pool.checkedout() == 0


@pytest.mark.parametrize("fault", QUERIES)
async def test_nor_does_it_to_a_task(small, monkeypatch, postgres, fault, async_driver):
    manager = small(async_driver=async_driver)
    monkeypatch.setattr(f"{TAKING}._TAKE_S", 0.05)
    monkeypatch.setattr(f"{TAKING}.COMMIT_QUERY", QUERIES[fault])
    async with AsyncRoutingSession(manager) as session:
        await session.execute(delete(Order))
        await session.commit()
        assert session.position is LATEST
        monkeypatch.undo()
        assert await session.scalar(COUNT) == 0
        await session.execute(delete(Order))
        await session.commit()
        assert session.position < LATEST
    assert manager.async_engine().sync_engine.pool.checkedout() == 0


async def test_a_task_that_is_cancelled_after_its_commit_is_known_to_have_written(
    small, monkeypatch, async_driver, postgres
):
    manager = small(async_driver=async_driver)
    monkeypatch.setattr(f"{TAKING}._TAKE_S", 60.0)
    monkeypatch.setattr(f"{TAKING}.COMMIT_QUERY", f"SELECT pg_sleep(60)::text, '{async_driver}'")

    async def write():
        async with AsyncRoutingSession(manager) as session:
            await session.execute(delete(Order))
            await session.commit()

    asked = f"SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%{async_driver}%'"
    with position_scope(manager) as trail:
        task = asyncio.create_task(write())
        await asyncio.to_thread(eventually, lambda: postgres.scalar(asked), "the question after the commit")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert trail.told is LATEST
        assert manager.async_engine().sync_engine.pool.checkedout() == 0
        monkeypatch.undo()
        async with AsyncRoutingSession(manager) as session:
            assert await session.scalar(COUNT) == 0
    eventually(lambda: postgres.scalar("SELECT count(*) FROM routed_order") == 0, "the commit")
