"""Whole transactions done again where that is safe."""

from __future__ import annotations

import asyncio
import threading
from itertools import count

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from pytest_dbguard.runtime.errors import RuntimeFault
from pytest_dbguard.runtime.transactions import Backoff
from tests.runtime.faults.clients import AsyncClient, bounded
from tests.runtime.manager.conftest import ADD, Runs, address


async def test_returns_what_the_work_returns_and_commits(run, accounts):
    def work(session):
        session.execute(text(ADD))
        return "done"

    assert await run(work) == "done"
    assert accounts() == [11, 10]


async def test_an_error_of_the_work_rolls_back_and_is_raised_as_it_is(run, accounts):
    attempts = []

    def work(session):
        attempts.append(1)
        session.execute(text(ADD))
        raise LookupError("of the work")

    with pytest.raises(LookupError, match="^of the work$"):
        await run(work)
    assert (len(attempts), accounts()) == (1, [10, 10])


async def test_a_refused_row_is_not_tried_again(run, accounts):
    attempts = []

    def work(session):
        attempts.append(1)
        session.execute(text("INSERT INTO accounts VALUES (1, 1)"))

    with pytest.raises(IntegrityError):
        await run(work)
    assert len(attempts) == 1


async def test_a_serialization_failure_is_tried_again(run, postgres, accounts):
    attempts = []

    def work(session):
        attempts.append(1)
        amount = session.execute(text("SELECT amount FROM accounts WHERE id = 1")).scalar()
        if len(attempts) < 3:
            postgres.execute(ADD)
        session.execute(text("UPDATE accounts SET amount = :amount WHERE id = 1"), {"amount": amount + 10})

    await run(work, isolation="REPEATABLE READ")
    assert (len(attempts), accounts()) == (3, [22, 10])


async def test_a_deadlock_is_tried_again(client, accounts):
    used = client(pool={"size": 4})
    run, met, number = Runs(used), threading.Barrier(2), count()
    attempts = []

    def transfer(first, second):
        def work(session):
            attempts.append(next(number))
            session.execute(text(f"UPDATE accounts SET amount = amount + 1 WHERE id = {first}"))
            if isinstance(used, AsyncClient) or len(attempts) > 2:
                return
            met.wait(30)
            session.execute(text(f"UPDATE accounts SET amount = amount + 1 WHERE id = {second}"))

        return work

    if isinstance(used, AsyncClient):
        await _deadlock_of_tasks(used.manager, attempts)
    else:
        await asyncio.gather(run(transfer(1, 2)), run(transfer(2, 1)))
    assert len(attempts) == 3


async def _deadlock_of_tasks(manager, attempts):
    met = asyncio.Barrier(2)

    def transfer(first, second):
        async def work(session):
            attempts.append(1)
            await session.execute(text(f"UPDATE accounts SET amount = amount + 1 WHERE id = {first}"))
            if len(attempts) > 2:
                return
            await met.wait()
            await session.execute(text(f"UPDATE accounts SET amount = amount + 1 WHERE id = {second}"))

        return work

    await bounded(asyncio.gather(*(manager.run_async(transfer(*pair)) for pair in ((1, 2), (2, 1)))))


async def test_a_server_that_lets_nobody_in_is_tried_again(client, postgres, accounts):
    used, attempts = client(), []
    postgres.stop()

    def work(session):
        attempts.append(1)
        session.execute(text(ADD))

    class StartsMeanwhile:
        def __call__(self):
            if len(attempts) == 2:
                postgres.start()
            return 0.0

    await Runs(used)(work, backoff=Backoff(chance=StartsMeanwhile()))
    assert (len(attempts), accounts()) == (3, [11, 10])


async def test_a_primary_that_refuses_to_write_is_tried_again(client, postgres, accounts):
    used, attempts = client(), []
    postgres.make_read_only()

    def work(session):
        attempts.append(1)
        if len(attempts) == 2:
            postgres.make_read_only(False)
        session.execute(text(ADD))

    await Runs(used)(work, retries=5)
    assert accounts() == [11, 10]
    assert len(attempts) in (2, 3)  # a session may not have read the server's new settings yet


async def test_an_error_that_the_work_wraps_is_known_by_its_cause(run, postgres, accounts):
    attempts = []

    def work(session):
        attempts.append(1)
        session.execute(text(ADD))
        if len(attempts) == 1:
            postgres.terminate_all()
        try:
            session.execute(text("SELECT 1"))
        except DBAPIError as error:
            raise LookupError("the repository's own") from error

    await run(work)
    assert (len(attempts), accounts()) == (2, [11, 10])


async def test_after_the_last_attempt_the_error_is_raised_and_tells_how_many(client, postgres, clock, accounts):
    used, attempts = client(clock=clock), []

    def work(session):
        attempts.append(clock.monotonic())
        session.execute(text(ADD))
        postgres.terminate_all()
        session.execute(text("SELECT 1"))

    with pytest.raises(DBAPIError) as caught:
        await Runs(used)(work, retries=3, backoff=Backoff(base_s=1.0, cap_s=3.0, chance=lambda: 1.0))
    assert attempts == [0.0, 1.0, 3.0, 6.0]
    assert "the transaction was tried 4 times" in caught.value.__notes__
    assert accounts() == [10, 10]


async def test_no_retries(run, postgres, accounts):
    attempts = []

    def work(session):
        attempts.append(1)
        postgres.terminate_all()
        session.execute(text("SELECT 1"))
        postgres.terminate_all()
        session.execute(text("SELECT 1"))

    with pytest.raises(DBAPIError):
        await run(work, retries=0)
    assert len(attempts) == 1


async def test_where_each_statement_commits_nothing_is_run(run):
    with pytest.raises(RuntimeFault, match="commits by itself"):
        await run(lambda session: 1 / 0, isolation="autocommit")


def test_a_role_that_commits_each_statement_needs_an_isolation(manager, postgres):
    used = manager(url=address(postgres.url), roles={"primary": {"isolation": "AUTOCOMMIT"}})
    with pytest.raises(RuntimeFault, match="commits by itself"):
        used.run(lambda session: 1 / 0)
    shown = used.run(lambda session: session.scalar(text("SHOW transaction_isolation")), isolation="SERIALIZABLE")
    assert shown == "serializable"


def test_asynchronous_work_is_not_taken_for_done(manager):
    async def work(session):
        raise AssertionError

    with pytest.raises(RuntimeFault, match="nothing of it has been done") as caught:
        manager(profile="test").run(work)
    assert "run_async()" in caught.value.hint


async def test_by_role(run):
    with pytest.raises(DBAPIError) as caught:
        await run(lambda session: session.execute(text("CREATE TABLE no (id int)")), role="readonly")
    assert caught.value.orig.sqlstate == "25006"


async def test_a_cancelled_task_is_rolled_back_and_not_tried_again(manager, postgres, accounts):
    used = manager(url=address(postgres.url))
    written, attempts = asyncio.Event(), []

    async def work(session):
        attempts.append(1)
        await session.execute(text(ADD))
        written.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(used.run_async(work))
    await bounded(written.wait())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bounded(task)
    assert (len(attempts), accounts()) == (1, [10, 10])
    assert used.async_engine().pool.checkedout() == 0
    await used.stop_async(0)


def test_backoff_grows_to_its_cap():
    backoff = Backoff(base_s=0.1, cap_s=0.5, chance=lambda: 1.0)
    assert [round(backoff.delay_s(failures), 6) for failures in (1, 2, 3, 4, 99)] == [0.1, 0.2, 0.4, 0.5, 0.5]
    assert 0.0 <= Backoff().delay_s(5) <= 2.0
