"""A connection that is held for too long is told, with who holds it; it is not taken away."""

from __future__ import annotations

import inspect

import pytest

from pytest_dbguard.runtime.errors import PoolExhausted
from tests.runtime.faults.clients import bounded


async def look_after(pool):
    """Have the pool do what its keeper does from time to time."""
    done = pool.evict()
    if inspect.isawaitable(done):
        await bounded(done)


async def test_a_leak_is_told_once_with_its_owner_and_its_return(client, clock):
    used, told = client(clock=clock, pool={"leak_after_s": 60.0}), []
    used.manager.events.subscribe("pool", told.append)
    async with used.held() as execute:
        await execute("SELECT 'a value'")
        await look_after(used.pool())
        assert told == []
        clock.ahead_s = 61.0
        await look_after(used.pool())
        await look_after(used.pool())
        assert [event.action for event in told] == ["leak"]
        assert "clients.py" in told[0].detail
        assert "a value" not in told[0].detail
        assert used.figures().leaks == 1
        assert await used.ask() == 1
    assert [event.action for event in told] == ["leak", "returned"]
    assert await used.ask() == 1


async def test_who_waits_in_vain_is_told_what_was_last_done_on_a_connection_that_is_kept(client):
    used = client(pool={"size": 1, "timeout_s": 0.05})
    async with used.held() as execute:
        await execute("SELECT 1 AS held_statement")
        with pytest.raises(PoolExhausted, match="held_statement"):
            await used.ask()
    assert await used.ask() == 1
