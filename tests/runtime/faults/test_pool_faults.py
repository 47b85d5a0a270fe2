"""Faults of callers: a pool that is exhausted, connections that are kept or lost, listeners that raise."""

from __future__ import annotations

import asyncio
import gc

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError, SAWarning

from pytest_dbguard.runtime.errors import PoolExhausted, PoolSaturated
from pytest_dbguard.runtime.events import KINDS
from tests.runtime.faults.clients import until

ONE = {"size": 1, "overflow": 0}


async def test_an_exhausted_pool_tells_who_holds_its_connections(client):
    used, told = client(pool={**ONE, "timeout_s": 0.05}), []
    used.manager.events.subscribe("pool", told.append)
    async with used.held() as execute:
        await execute("SELECT 'a value'")
        with pytest.raises(PoolExhausted, match=r"clients\.py") as caught:
            await used.ask()
    assert "a value" not in str(caught.value)
    assert [event.action for event in told] == ["exhausted"]
    assert used.figures().timeouts == 1
    assert await used.ask() == 1


async def test_who_waits_is_served_when_a_connection_comes_back(client):
    used = client(pool={**ONE, "timeout_s": 60.0})
    async with used.held():
        waiter = asyncio.ensure_future(used.ask())
        await until(lambda: used.figures().waiting == 1, "the wait")
    assert await waiter == 1
    assert used.figures().waiting == 0


async def test_more_than_may_wait_are_refused_at_once(client):
    used = client(pool={**ONE, "timeout_s": 60.0, "max_waiting": 1})
    async with used.held():
        waiter = asyncio.ensure_future(used.ask())
        await until(lambda: used.figures().waiting == 1, "the wait")
        with pytest.raises(PoolSaturated):
            await used.ask()
    assert await waiter == 1
    assert used.figures().shed == 1


async def test_a_connection_that_nobody_returned_is_counted_and_serves_again(sync_client):
    used = sync_client(pool=ONE)
    lost = used.manager.engine().connect()
    pid = lost.scalar(text("SELECT pg_backend_pid()"))
    del lost
    gc.collect()
    assert await used.ask("SELECT pg_backend_pid()") == pid
    assert used.figures().collected == 1


async def test_an_asynchronous_connection_that_nobody_returned_is_replaced(async_client, postgres):
    used = async_client(pool=ONE)
    lost = await used.manager.async_engine().connect()
    with pytest.warns(SAWarning, match="garbage collector"):
        del lost
        gc.collect()
    assert await used.ask() == 1
    assert used.figures().collected == 1


async def test_listeners_that_raise_break_nothing(client, postgres, notes):
    used = client(pool={**ONE, "timeout_s": 0.05}, logging={"statements": False, "slow_ms": 0.001})

    def broken(_):
        raise RuntimeError("a listener")

    for kind in KINDS:
        used.manager.events.subscribe(kind, broken)
    assert await used.ask() == 1
    with pytest.raises(ProgrammingError, match="no_such_table"):
        await used.ask("SELECT * FROM no_such_table")
    async with used.held():
        with pytest.raises(PoolExhausted):
            await used.ask()
    postgres.make_read_only()
    with pytest.raises(DBAPIError, match="read-only"):
        await used.ask(notes.insert)
    postgres.make_read_only(False)
    await used.ask(notes.insert)
    assert notes.count() == 1
    assert used.manager.events.faults >= 4
