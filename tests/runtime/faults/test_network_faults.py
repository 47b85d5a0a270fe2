"""Faults between us and the server: frozen, reset, slow, cut in an answer and in the answer to a commit."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from pytest_dbguard.runtime.errors import UnknownOutcome
from tests.runtime.faults.clients import UNREACHABLE, until
from tests.runtime.waiting import WATCHDOG_S


@pytest.fixture
def between(postgres, proxy):
    return proxy(postgres)


@pytest.fixture
def led(between, postgres, client):
    """Return a function that makes a client whose connections go through the proxy."""

    def start(**pool):
        return client(between.url(postgres.url), pool={"check_timeout_s": 0.2, **pool})

    return start


async def test_a_host_that_hung_and_was_replaced_is_not_seen(led, between):
    used, told = led(), []
    used.manager.events.subscribe("pool", told.append)
    async with used.held(), used.held():
        pass
    between.freeze_open()
    assert await used.ask() == 1
    assert "frozen" in [event.action for event in told]
    assert used.figures().frozen >= 1
    assert await used.ask() == 1


async def test_a_peer_that_answers_nothing_is_an_error_and_serves_again_when_it_does(led, between):
    used = led(size=1)
    assert await used.ask() == 1
    between.freeze()
    with pytest.raises(UNREACHABLE):
        await used.ask()
    assert used.figures().in_use == 0
    between.ok()
    assert await used.ask() == 1


async def test_many_requests_at_a_frozen_peer_all_end(led, between):
    used = led(size=2, timeout_s=0.5)
    assert await used.ask() == 1
    between.freeze()
    ended = await asyncio.gather(*(used.ask() for _ in range(6)), return_exceptions=True)
    assert all(isinstance(each, Exception) for each in ended), ended
    between.ok()
    assert await asyncio.gather(*(used.ask() for _ in range(6))) == [1] * 6
    assert used.figures().in_use == 0


async def test_idle_connections_that_were_reset_are_not_seen(led, between):
    used = led()
    async with used.held(), used.held():
        pass
    between.drop()
    assert [await used.ask(), await used.ask()] == [1, 1]


async def test_a_reset_in_the_middle_of_a_statement(led, between, postgres):
    used = led()
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    request = asyncio.ensure_future(used.ask("SELECT pg_sleep(600)"))
    await until(lambda: postgres.scalar(asleep), "the start of the statement")
    between.drop()
    with pytest.raises(DBAPIError) as caught:
        await request
    assert caught.value.connection_invalidated
    assert await used.ask() == 1
    postgres.terminate_all()  # the server notices only when it wants to answer


async def test_while_all_is_reset_requests_fail_and_after_it_none(led, between):
    used = led()
    assert await used.ask() == 1
    between.reset()
    for _ in range(3):
        with pytest.raises(UNREACHABLE):
            await used.ask()
    between.ok()
    assert await used.ask() == 1


async def test_slow_answers_that_come_in_time_are_no_fault(led, between):
    used = led(check_timeout_s=WATCHDOG_S)
    pid = await used.ask("SELECT pg_backend_pid()")
    between.delay(0.05)
    assert await used.ask("SELECT pg_backend_pid()") == pid
    assert used.figures().frozen == 0


async def test_an_answer_that_is_cut_in_its_middle(led, between):
    used = led()
    assert await used.ask() == 1
    between.cut_after(20_000)
    with pytest.raises(DBAPIError) as caught:
        await used.ask("SELECT string_agg(repeat('x', 100), '') FROM generate_series(1, 1000)")
    assert caught.value.connection_invalidated
    assert await used.ask() == 1


async def test_a_commit_without_an_answer_is_never_done_again(led, between, notes):
    used, attempts = led(), []

    def lose_the_answer():
        attempts.append(1)
        between.cut_after(0)

    with pytest.raises(UnknownOutcome):
        await used.run(notes.insert, lose_the_answer)
    assert len(attempts) == 1
    assert notes.count() == 1
    await used.run(notes.insert)
    assert notes.count() == 2


async def test_a_transaction_that_broke_before_its_commit_is_done_again(led, between, notes):
    used, attempts = led(), []

    def break_the_first():
        attempts.append(1)
        if len(attempts) == 1:
            between.drop()

    await used.run(notes.insert, break_the_first)
    assert len(attempts) == 2
    assert notes.count() == 1
