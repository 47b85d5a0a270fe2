"""The end: nothing is handed out, work is waited for, what is left is cancelled or cut off, and all is closed."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from pytest_dbguard.runtime.errors import NotStarted, ShuttingDown
from pytest_dbguard.runtime.manual_clock import ManualClock
from tests.runtime.faults.clients import bounded, in_thread, until
from tests.runtime.manager.conftest import address
from tests.runtime.waiting import eventually

ADD = "UPDATE accounts SET amount = amount + 1 WHERE id = 1"
SLEEPS = "SELECT pg_sleep(600)"
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
FOR_EVER = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + tick() FROM n) SELECT max(x) FROM n"
LONG_S = 60.0


def warnings_in(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_idle_connections_are_closed_at_once(client, postgres, clock):
    used = client(clock=clock)
    async with used.held(), used.held():
        assert postgres.sessions() == 2
    report = await used.stop(LONG_S)
    await until(lambda: postgres.sessions() == 0, "the end of the sessions")
    assert (report.cancelled, report.severed, clock.monotonic()) == (0, 0, 0.0)


async def test_work_under_way_may_end(client, accounts):
    used = client()
    async with used.held() as execute:
        await execute(ADD)
        stopping = asyncio.ensure_future(used.stop(LONG_S))
        await until(lambda: used.manager.state == "stopping", "the beginning of the end")
        with pytest.raises(ShuttingDown):
            await used.ask()
        await execute(ADD)
        await execute("COMMIT")
        assert not stopping.done()
    report = await bounded(stopping)
    assert (report.cancelled, report.severed) == (0, 0)
    assert accounts() == [12, 10]
    with pytest.raises(NotStarted):
        await used.ask()


async def test_who_waits_for_a_connection_is_refused(client):
    used = client(pool={"size": 1, "overflow": 0, "timeout_s": LONG_S})
    async with used.held() as execute:
        await execute("SELECT 1")
        waiting = asyncio.ensure_future(used.ask())
        await until(lambda: used.figures().waiting == 1, "the wait")
        stopping = asyncio.ensure_future(used.stop(LONG_S))
        with pytest.raises(ShuttingDown):
            await waiting
    await bounded(stopping)


async def test_a_statement_that_does_not_end_is_cancelled(client, postgres, caplog):
    used = client()
    request = asyncio.ensure_future(used.ask(SLEEPS))
    await until(lambda: postgres.scalar(ASLEEP), "the start of the statement")
    with caplog.at_level(logging.WARNING, "pytest_dbguard.runtime"):
        report = await used.stop(0)
    with pytest.raises(DBAPIError) as caught:
        await bounded(request)
    assert caught.value.orig.sqlstate == "57014"
    assert (report.cancelled, report.severed) == (1, 0)
    assert postgres.scalar(ASLEEP) == 0
    await until(lambda: postgres.sessions() == 0, "the end of the session")
    (warning,) = [record.getMessage() for record in caplog.records if "cancels" in record.getMessage()]
    assert "primary" in warning
    assert "held for" in warning


async def test_a_transaction_that_does_nothing_is_cut_off(client, postgres, accounts, clock):
    used = client(clock=clock)
    async with used.held() as execute:
        await execute(ADD)
        report = await used.stop(5)
        assert (report.cancelled, report.severed) == (1, 1)
        assert clock.monotonic() >= 5
        await until(lambda: postgres.sessions() == 0, "the end of the session")
        with pytest.raises(DBAPIError):
            await execute(ADD)
    assert accounts() == [10, 10]
    assert used.manager.state == "stopped"


async def test_both_kinds_of_engines_end_together(manager, postgres):
    used = manager(url=address(postgres.url), pool={"size": 2})
    with used.engine().connect() as connection:
        connection.execute(text("SELECT 1"))
    async with used.async_engine().connect() as connection:
        await connection.execute(text("SELECT 1"))
    assert postgres.sessions() == 2
    await used.stop_async()
    await until(lambda: postgres.sessions() == 0, "the end of the sessions")


@pytest.mark.parametrize("drivername", ["postgresql", "postgresql+asyncpg"])
class TestAsynchronousEnginesWithoutTheirLoop:
    """Ended from a thread, as by a signal or at the end of Python."""

    @pytest.fixture
    def used(self, manager, postgres, drivername):
        return manager(url=address(postgres.url, drivername), timeouts={"shutdown_s": LONG_S})

    async def ask(self, used, statement="SELECT 1"):
        async with used.async_engine().connect() as connection:
            return (await connection.execute(text(statement))).scalar()

    def test_that_has_ended(self, used, postgres, recwarn, caplog):
        assert asyncio.run(self.ask(used)) == 1
        with caplog.at_level(logging.WARNING):
            used.stop()
        gc.collect()
        assert [str(warning.message) for warning in recwarn] == []
        assert warnings_in(caplog) == []
        eventually(lambda: postgres.sessions() == 0, "the end of the session")

    async def test_that_goes_on_in_another_thread(self, used, postgres):
        request = asyncio.ensure_future(self.ask(used, SLEEPS))
        await until(lambda: postgres.scalar(ASLEEP), "the start of the statement")
        report = await bounded(in_thread(lambda: used.stop(0)))
        with pytest.raises(DBAPIError):
            await bounded(request)
        assert report.cancelled == 1
        assert postgres.scalar(ASLEEP) == 0

    async def test_that_is_held_up_meanwhile(self, used, postgres):
        """In the loop's own thread nobody can go on, so nobody is waited for."""
        async with used.async_engine().connect() as connection:
            await connection.execute(text("SELECT 1"))
            report = used.stop()
            assert report.severed == 1
            with pytest.raises(DBAPIError):
                await connection.execute(text("SELECT 1"))

    async def test_that_is_idle_meanwhile(self, used, postgres, recwarn, caplog):
        assert await self.ask(used) == 1
        with caplog.at_level(logging.WARNING):
            used.stop()
        await until(lambda: postgres.sessions() == 0, "the end of the session")
        gc.collect()
        assert [str(warning.message) for warning in recwarn] == []
        assert warnings_in(caplog) == []


class TestSqlite:
    """Has no server that could be asked."""

    @pytest.fixture
    def begun(self):
        return threading.Event()

    @pytest.fixture
    def used(self, manager, begun):
        """A manager whose connections have a function that tells that a statement has begun."""

        def tick():
            begun.set()
            return 1

        def add_tick(member):
            event.listen(member.engine, "connect", lambda connection, _: connection.create_function("tick", 0, tick))

        used = manager(profile="test")
        used.on_engine(add_tick)
        return used

    async def test_a_statement_that_does_not_end_is_interrupted(self, used, begun):
        def work():
            with used.engine().connect() as connection:
                connection.execute(text(FOR_EVER))

        request = in_thread(work)
        await bounded(in_thread(begun.wait))
        report = await bounded(in_thread(lambda: used.stop(0)))
        with pytest.raises(OperationalError, match="interrupted"):
            await bounded(request)
        assert (report.cancelled, report.severed) == (1, 0)

    async def test_an_asynchronous_statement_is_interrupted(self, used, begun):
        async def work():
            async with used.async_engine().connect() as connection:
                await connection.execute(text(FOR_EVER))

        request = asyncio.ensure_future(work())
        await bounded(in_thread(begun.wait))
        report = await bounded(used.stop_async(0))
        with pytest.raises(OperationalError, match="interrupted"):
            await bounded(request)
        assert (report.cancelled, report.severed) == (1, 0)


class TestMoreThanOnce:
    """Stopping is idempotent, whoever does it and when."""

    async def test_who_stops_second_waits_for_the_first(self, client):
        used = client()
        async with used.held() as execute:
            await execute("SELECT 1")
            first = asyncio.ensure_future(used.stop(LONG_S))
            await until(lambda: used.manager.state == "stopping", "the beginning of the end")
            second = asyncio.ensure_future(used.stop(0))
            third = in_thread(lambda: used.manager.stop(0))
            await asyncio.sleep(0)
            assert not (second.done() or third.done())
        reports = await bounded(asyncio.gather(first, second, third))
        assert [report.cancelled for report in reports] == [0, 0, 0]
        assert used.manager.state == "stopped"

    def test_who_gets_in_between_does_not_wait_for_itself(self, manager):
        """As the handler of a signal does that comes while the main thread stops the manager."""

        class InterruptedClock(ManualClock):
            def sleep(self, seconds):
                reports.append(used.stop())
                super().sleep(seconds)

        reports = []
        used = manager(profile="test", clock=InterruptedClock())
        connection = used.engine().connect()
        report = used.stop(0.001)
        connection.close()
        assert len(reports) > 0
        assert report.cancelled == 1
        assert used.state == "stopped"

    async def test_starting_meanwhile_is_refused(self, client):
        used = client()
        async with used.held() as execute:
            await execute("SELECT 1")
            stopping = asyncio.ensure_future(used.stop(LONG_S))
            await until(lambda: used.manager.state == "stopping", "the beginning of the end")
            with pytest.raises(ShuttingDown):
                used.manager.start()
        await bounded(stopping)
        await used.start()
        assert await used.ask() == 1

    async def test_an_end_that_is_interrupted_ends_all_the_same(self, manager, postgres):
        used = manager(url=address(postgres.url))
        async with used.async_engine().connect() as connection:
            await connection.execute(text("SELECT 1"))
            stopping = asyncio.ensure_future(used.stop_async(LONG_S))
            await until(lambda: used.state == "stopping", "the beginning of the end")
            stopping.cancel()
            with pytest.raises(asyncio.CancelledError):
                await bounded(stopping)
            assert used.state == "stopped"
            await until(lambda: postgres.sessions() == 0, "the end of the session")
            with pytest.raises(DBAPIError):
                await connection.execute(text("SELECT 1"))


async def test_a_frozen_peer_does_not_hold_it_up(client, postgres, proxy):
    between = proxy()
    used = client(between.url(postgres.url), pool={"size": 2})
    async with used.held() as execute, used.held() as other:
        await execute("SELECT 1")
        await other("SELECT 1")
        between.freeze()
        report = await used.stop(0)
        assert (report.cancelled, report.severed) == (2, 2)
        for each in (execute, other):
            with pytest.raises(DBAPIError):
                await each("SELECT 1")
    postgres.terminate_all()
