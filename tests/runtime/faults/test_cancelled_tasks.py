"""Tasks that are cancelled while a connection is out, is waited for or is being opened leave the pool whole."""

from __future__ import annotations

import asyncio

import pytest

from tests.runtime.faults.clients import bounded, until

SLEEP = "SELECT pg_sleep(600)"
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> {}"


def asleep(postgres):
    return postgres.scalar(ASLEEP.format("pg_backend_pid()"))


async def cancel(*tasks):
    for task in tasks:
        task.cancel()
    ended = await bounded(asyncio.gather(*tasks, return_exceptions=True))
    assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended


async def test_cancelled_in_the_middle_of_statements(async_client, postgres):
    used = async_client(pool={"size": 3})
    for _ in range(4):
        tasks = [asyncio.create_task(used.ask(SLEEP)) for _ in range(3)]
        await until(lambda: asleep(postgres) == 3, "the start of three statements")
        await cancel(*tasks)
        assert await used.ask() == 1
    figures = used.figures()
    assert (figures.in_use, figures.waiting) == (0, 0)
    await until(lambda: not asleep(postgres), "the end of the statements at the server")


async def test_cancelled_while_waiting_for_a_connection(async_client):
    used = async_client(pool={"size": 1, "timeout_s": 60.0})
    async with used.held():
        tasks = [asyncio.create_task(used.ask()) for _ in range(5)]
        await until(lambda: used.figures().waiting == 5, "the wait of five tasks")
        await cancel(*tasks)
        assert used.figures().waiting == 0
    assert await used.ask() == 1
    assert used.figures().in_use == 0


async def test_one_that_waits_is_cancelled_and_the_next_is_served(async_client):
    used = async_client(pool={"size": 1, "timeout_s": 60.0})
    async with used.held():
        first = asyncio.create_task(used.ask())
        await until(lambda: used.figures().waiting == 1, "the wait of the first")
        second = asyncio.create_task(used.ask())
        await until(lambda: used.figures().waiting == 2, "the wait of the second")
        await cancel(first)
    assert await second == 1


async def test_cancelled_while_a_connection_is_opened(async_client, postgres, proxy):
    between = proxy(postgres)
    used = async_client(between.url(postgres.url), pool={"size": 1})
    between.freeze()
    task = asyncio.create_task(used.ask())
    await until(lambda: between.accepted == 1, "the attempt to connect")
    await cancel(task)
    between.ok()
    assert await used.ask() == 1
    assert used.figures().in_use == 0


async def test_a_time_limit_around_a_request(async_client, postgres):
    used = async_client(pool={"size": 1})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await used.ask(SLEEP)
    assert await used.ask() == 1
    await until(lambda: not asleep(postgres), "the end of the statement at the server")


async def test_a_time_limit_around_a_request_at_a_frozen_peer(async_client, postgres, proxy):
    between = proxy(postgres)
    used = async_client(between.url(postgres.url), pool={"size": 1, "check_after_idle_s": 3600.0})
    assert await used.ask() == 1
    between.freeze_open()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await used.ask()
    assert await used.ask() == 1
    assert used.figures().in_use == 0
