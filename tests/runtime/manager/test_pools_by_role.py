"""What is done to all pools of a role at once, and what is told of them."""

from __future__ import annotations

import asyncio
import traceback

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tests.runtime.faults.clients import AsyncClient
from tests.runtime.manager.conftest import address

PID = "SELECT pg_backend_pid()"


async def warmed(used):
    manager = used.manager
    if isinstance(used, AsyncClient):
        await manager.warm_up_async("primary")
    else:
        await asyncio.to_thread(manager.warm_up, "primary")


async def test_warm_up_opens_what_the_pool_keeps(client, postgres):
    used = client(pool={"size": 3})
    assert await used.ask() == 1
    await warmed(used)
    assert postgres.sessions() == 3
    assert used.figures().idle == 3


async def test_resize_lets_more_in(client):
    used = client(pool={"size": 1, "overflow": 0, "timeout_s": 0.0})
    async with used.held():
        with pytest.raises(PoolTimeoutError):
            await used.ask()
        used.manager.resize("primary", 2)
        assert await used.ask() == 1
        with pytest.raises(ValueError, match="size"):
            used.manager.resize("primary", 0)


async def test_drain_replaces_each_connection_before_it_is_used_again(client):
    used = client(pool={"size": 1})
    pid = await used.ask(PID)
    used.manager.drain("primary")
    new = await used.ask(PID)
    assert new != pid
    await used.manager.drain_async()
    assert await used.ask(PID) != new


async def test_drain_closes_idle_connections(client, postgres):
    from tests.runtime.faults.clients import until

    used = client(pool={"size": 2})
    assert await used.ask() == 1
    await used.manager.drain_async("primary")
    await until(lambda: postgres.sessions() == 0, "the end of the idle session")


async def test_another_role_is_left_alone(client, postgres):
    used = client(roles={"analytics": {"url": address(postgres.url)}})
    pid = await used.ask(PID, "analytics")
    used.manager.drain("primary")
    assert await used.ask(PID, "analytics") == pid


async def test_what_pools_tell_reaches_subscribers(client):
    used, told = client(pool={"size": 1, "overflow": 0, "timeout_s": 0.0}), []
    used.manager.events.subscribe("pool", told.append)
    async with used.held():
        with pytest.raises(PoolTimeoutError):
            await used.ask()
    used.manager.resize("primary", 3, 4)
    assert [(event.role, event.target, event.action) for event in told] == [
        ("primary", "primary", "exhausted"),
        ("primary", "primary", "resized"),
    ]
    assert told[-1].detail == "size 3, overflow 4"


def test_a_password_is_asked_for_each_connection(manager, postgres):
    asked = []

    def password():
        asked.append(1)
        return "not looked at"

    used = manager(roles={"primary": {"url": address(postgres.url), "password_from": password}})
    with used.engine().connect() as one, used.engine().connect() as other:
        assert one.scalar(text(PID)) != other.scalar(text(PID))
    assert len(asked) == 2


def test_no_error_shows_a_password(manager):
    used = manager(url="postgresql://shop:open-sesame@127.0.0.1:1/shop")
    with pytest.raises(Exception) as caught:
        used.start(eager=True)
    shown = "".join(traceback.format_exception(caught.value)) + repr(used.engines(make=True)) + repr(used.roles())
    assert "open-sesame" not in shown
