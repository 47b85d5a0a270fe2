"""Faults of the process: forks after connecting, clocks that jump, a shutdown with work under way."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pytest_dbguard.runtime.errors import NotStarted, ShuttingDown
from tests.runtime.faults.clients import plain, until
from tests.runtime.waiting import WATCHDOG_S

PID = "SELECT pg_backend_pid()"


def in_child(work):
    """Do something in a forked child and return what it returns, as a whole number; a hung child is ended."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(int(WATCHDOG_S))
        try:
            os.write(sending, str(int(work())).encode())
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving) as answer:
        said = answer.read()
    assert os.waitpid(child, 0)[1] == 0
    return int(said)


class TestFork:
    """A child opens connections of its own, and leaves those of its parent alone."""

    @pytest.fixture
    def used(self, manager, postgres):
        return manager(url=plain(postgres.url), pool={"size": 2, "check_after_idle_s": 3600.0})

    def test_after_connecting(self, used):
        def ask():
            with used.engine().connect() as connection:
                return connection.scalar(text(PID))

        parents = ask()
        childs = [in_child(ask), in_child(lambda: ask() and ask())]
        assert parents not in childs
        assert ask() == parents

    def test_while_a_connection_is_out(self, used):
        with used.engine().connect() as held:
            parents = held.scalar(text(PID))

            def ask():
                with used.engine().connect() as connection:
                    return connection.scalar(text(PID))

            assert in_child(ask) != parents
            assert held.scalar(text(PID)) == parents
        assert used.engine().pool.stats.snapshot().in_use == 0

    def test_the_child_that_stops_leaves_its_parent_alone(self, used):
        with used.engine().connect() as held:
            parents = held.scalar(text(PID))

            def stop():
                used.stop(0.0)
                return 7

            assert in_child(stop) == 7
            assert held.scalar(text(PID)) == parents

    def test_asynchronous_engines(self, used):
        async def ask():
            async with used.async_engine().connect() as connection:
                return (await connection.execute(text(PID))).scalar()

        parents = asyncio.run(ask())
        assert in_child(lambda: asyncio.run(ask())) != parents
        assert asyncio.run(ask()) > 0
        asyncio.run(used.stop_async(0.0))


class TestClocks:
    """Ages are measured by a clock that only goes forward."""

    async def test_the_wall_clock_going_back_hides_no_broken_connection(self, client, postgres, monkeypatch):
        used = client(pool={"check_after_idle_s": 3600.0})
        async with used.held(), used.held() as execute:
            postgres.terminate_all()
            now = time.time()
            monkeypatch.setattr(time, "time", lambda: now - 3600.0)
            with pytest.raises(DBAPIError):
                await execute("SELECT 1")
        assert [await used.ask() for _ in range(3)] == [1, 1, 1]

    @pytest.mark.parametrize("jump_s", [-86400.0, 86400.0])
    async def test_the_wall_clock_replaces_nothing(self, client, monkeypatch, jump_s):
        used = client(pool={"size": 1, "max_lifetime_s": 60.0, "lifetime_jitter": 0.0})
        pid = await used.ask(PID)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + jump_s)
        assert await used.ask(PID) == pid

    async def test_what_has_lived_its_time_is_replaced(self, client, clock):
        used = client(clock=clock, pool={"size": 1, "max_lifetime_s": 60.0, "lifetime_jitter": 0.0})
        pid = await used.ask(PID)
        clock.ahead_s = 59.0 - 30.0
        assert await used.ask(PID) == pid
        clock.ahead_s = 61.0
        assert await used.ask(PID) != pid


class TestShutdown:
    """With work under way."""

    async def test_work_that_ends_in_time_is_waited_for(self, client, notes):
        used = client()
        async with used.held() as execute:
            await execute("SELECT 1")
            stopping = asyncio.ensure_future(used.stop(WATCHDOG_S / 2))
            await until(lambda: used.manager.state == "stopping", "the beginning of the end")
            with pytest.raises((ShuttingDown, NotStarted)):
                await used.ask()
            await execute(notes.insert)
            await execute("COMMIT")
        report = await stopping
        assert (report.cancelled, report.severed) == (0, 0)
        assert notes.count() == 1
        assert used.manager.state == "stopped"

    async def test_work_that_does_not_end_is_cancelled(self, client, postgres, notes):
        used = client()
        asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        request = asyncio.ensure_future(used.ask("SELECT pg_sleep(600)"))
        await until(lambda: postgres.scalar(asleep), "the start of the statement")
        report = await used.stop(0.05)
        with pytest.raises(DBAPIError):
            await request
        assert report.cancelled + report.severed == 1
        assert postgres.scalar(asleep) == 0
        assert used.manager.state == "stopped"

    async def test_at_a_frozen_peer_it_ends(self, client, postgres, proxy):
        between = proxy(postgres)
        used = client(between.url(postgres.url), timeouts={"connect_s": 2.0})
        asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        request = asyncio.ensure_future(used.ask("SELECT pg_sleep(600)"))
        await until(lambda: postgres.scalar(asleep), "the start of the statement")
        between.freeze()
        report = await used.stop(0.05)
        assert report.severed == 1
        with pytest.raises(DBAPIError):
            await request
        postgres.terminate_all()

    async def test_twice_and_begun_again(self, client):
        used = client()
        assert await used.ask() == 1
        await used.stop(0.0)
        await used.stop(0.0)
        await used.start()
        assert await used.ask() == 1
