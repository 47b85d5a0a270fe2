"""A server that freezes while it is asked: in a statement, a COMMIT, a ROLLBACK; and statements that only take long."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from pytest_dbguard.runtime.errors import UnknownOutcome
from pytest_dbguard.runtime.pools.keeper import Keeper
from pytest_dbguard.runtime.pools.progress import waits
from tests.runtime.faults.clients import bounded, in_thread, until

LIMIT_S = 10.0
SLEEP = "SELECT pg_sleep(600)"
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


@pytest.fixture
def between(postgres, proxy):
    yield proxy(postgres)
    postgres.terminate_all()  # the server notices only when it wants to answer


@pytest.fixture
def led(between, postgres, client, clock):
    """Return a function that makes a client whose connections go through the proxy."""

    def start(**pool):
        pool = {"suspect_after_s": LIMIT_S, "check_timeout_s": 0.2, "keepalive_s": 0.0, **pool}
        return client(between.url(postgres.url), clock=clock, pool=pool, timeouts={"connect_s": 1.0})

    return start


async def look(used):
    """Look at the pool once; return how many connections were cut."""
    return await bounded(in_thread(used.pool().cut_frozen))


async def waiting(used, count=1):
    def is_reached():
        return sum(map(waits, used.pool().driver_connections())) == count

    await until(is_reached, f"the wait of {count} statements")


async def look_after(used, clock, seconds=LIMIT_S):
    """Look, let time pass, and look again."""
    assert await look(used) == 0
    clock.ahead_s += seconds
    return await look(used)


async def test_a_statement_under_way_ends_and_the_next_request_works(led, between, clock, postgres):
    used, told = led(), []
    used.manager.events.subscribe("pool", told.append)
    request = asyncio.ensure_future(used.ask(SLEEP))
    await until(lambda: postgres.scalar(ASLEEP), "the start of the statement")
    between.freeze()
    assert await look_after(used, clock) == 1
    with pytest.raises(DBAPIError) as caught:
        await request
    assert caught.value.connection_invalidated
    if used.scheme == "postgresql":
        assert type(caught.value).__name__ == "OperationalError"
    assert [(event.action, event.target) for event in told] == [("frozen", "primary")]
    assert "a statement was cut" in told[0].detail
    figures = used.figures()
    assert (figures.frozen, figures.in_use) == (1, 0)
    between.ok()
    assert await used.ask() == 1


async def test_a_statement_is_let_be_as_long_as_another_connection_is_answered(led, between, clock, postgres):
    used, told = led(), []
    used.manager.events.subscribe("pool", told.append)
    request = asyncio.ensure_future(used.ask("SELECT 1 FROM pg_sleep(600)"))
    await until(lambda: postgres.scalar(ASLEEP), "the start of the statement")
    before = between.accepted
    assert await look_after(used, clock, LIMIT_S) == 0
    assert between.accepted == before + 1
    for passed_s, tried in ((LIMIT_S, 0), (LIMIT_S, 1), (3 * LIMIT_S, 0), (LIMIT_S, 1)):
        before = between.accepted
        clock.ahead_s += passed_s
        assert await look(used) == 0
        assert between.accepted == before + tried
    assert not request.done()
    assert (told, used.figures().frozen) == ([], 0)
    postgres.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    with pytest.raises(DBAPIError) as caught:
        await request
    assert not caught.value.connection_invalidated
    assert await used.ask() == 1


async def test_a_refusal_is_an_answer(led, between, clock, postgres):
    used = led()
    request = asyncio.ensure_future(used.ask(SLEEP))
    await until(lambda: postgres.scalar(ASLEEP), "the start of the statement")
    between.lead_to(("127.0.0.1", 1), keep_open=True)
    before = between.accepted
    assert await look_after(used, clock) == 0
    assert between.accepted == before + 1
    assert not request.done()
    postgres.terminate_all()
    with pytest.raises(DBAPIError):
        await request


async def test_nobody_is_suspected_before_the_limit_or_when_it_is_off(led, between, clock, postgres):
    used, careless = led(), led(suspect_after_s=0.0)
    requests = [asyncio.ensure_future(each.ask(SLEEP)) for each in (used, careless)]
    await until(lambda: postgres.scalar(ASLEEP) == 2, "the start of two statements")
    between.freeze()
    before = between.accepted
    assert await look_after(used, clock, LIMIT_S - 1.0) == 0
    assert await look_after(careless, clock, 100 * LIMIT_S) == 0
    assert between.accepted == before
    assert await look(used) == 1
    between.drop()
    assert all(isinstance(each, DBAPIError) for each in await asyncio.gather(*requests, return_exceptions=True))


async def test_whoever_holds_a_connection_and_asks_nothing_is_not_suspected(led, between, clock):
    used = led()
    async with used.held() as execute:
        await execute("SELECT 1")
        before = between.accepted
        assert await look_after(used, clock, 100 * LIMIT_S) == 0
        assert between.accepted == before


async def test_another_statement_is_another_wait(led, between, clock, postgres):
    used = led()
    async with used.held() as execute:
        for _ in range(2):
            request = asyncio.ensure_future(execute("SELECT 1 FROM pg_sleep(600)"))
            await until(lambda: postgres.scalar(ASLEEP), "the start of the statement")
            before = between.accepted
            assert await look(used) == 0
            assert between.accepted == before
            clock.ahead_s += LIMIT_S - 1.0
            assert await look(used) == 0
            assert between.accepted == before
            postgres.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
            with pytest.raises(DBAPIError):
                await request
            await execute("ROLLBACK")


async def test_a_commit_under_way_has_an_unknown_outcome(led, between, clock, notes):
    used, attempts = led(), []

    def freeze():
        attempts.append(1)
        between.freeze()

    request = asyncio.ensure_future(used.run(notes.insert, freeze))
    await until(lambda: attempts, "the end of the work")
    await waiting(used)
    assert await look_after(used, clock) == 1
    with pytest.raises(UnknownOutcome):
        await request
    assert len(attempts) == 1
    between.ok()
    await used.run(notes.insert)
    assert used.figures().in_use == 0


async def test_a_rollback_under_way_ends(led, between, clock, notes):
    used, inserted = led(), asyncio.Event()

    async def leave():
        async with used.held() as execute:
            await execute(notes.insert)
            between.freeze()
            inserted.set()

    leaving = asyncio.ensure_future(leave())
    await bounded(inserted.wait())
    await waiting(used)
    assert await look_after(used, clock) == 1
    await asyncio.gather(leaving, return_exceptions=True)
    figures = used.figures()
    assert (figures.in_use, figures.frozen) == (0, 1)
    between.ok()
    assert await used.ask() == 1
    assert notes.count() == 0


async def test_all_that_wait_are_cut_at_once_and_tried_for_once(led, between, clock, postgres):
    used = led(size=3)
    requests = [asyncio.ensure_future(used.ask(SLEEP)) for _ in range(3)]
    await until(lambda: postgres.scalar(ASLEEP) == 3, "the start of three statements")
    between.freeze()
    before = between.accepted
    assert await look_after(used, clock) == 3
    assert between.accepted == before + 1
    assert all(isinstance(each, DBAPIError) for each in await asyncio.gather(*requests, return_exceptions=True))
    between.ok()
    assert await asyncio.gather(*(used.ask() for _ in range(3))) == [1] * 3


async def test_what_is_answered_while_the_other_connection_is_tried_is_let_be(led, between, clock, postgres):
    used = led()
    request = asyncio.ensure_future(used.ask("SELECT 1 FROM pg_sleep(600)"))
    await until(lambda: postgres.scalar(ASLEEP), "the start of the statement")
    assert await look(used) == 0
    clock.ahead_s += LIMIT_S
    # those that come lead to somebody who says nothing
    silent = await asyncio.start_server(lambda *_: asyncio.Event().wait(), "127.0.0.1", 0)
    async with silent:
        between.lead_to(silent.sockets[0].getsockname(), keep_open=True)
        before = between.accepted
        looking = asyncio.ensure_future(look(used))
        await until(lambda: between.accepted > before, "the other connection")
        postgres.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        with pytest.raises(DBAPIError):
            await request
        assert await looking == 0
    assert used.figures().frozen == 0


async def test_the_keeper_does_it_by_itself(led, between, clock, postgres):
    used = led()
    request = asyncio.ensure_future(used.ask(SLEEP))
    await until(lambda: postgres.scalar(ASLEEP), "the start of the statement")
    between.freeze()
    keeper = Keeper(every_s=0.01)
    keeper.watch(used.pool().stats)
    with keeper:
        await until(lambda: used.pool().suspicion.waiting, "the first pass")
        clock.ahead_s += LIMIT_S
        with pytest.raises(DBAPIError) as caught:
            await request
    assert caught.value.connection_invalidated
    assert used.figures().frozen == 1
