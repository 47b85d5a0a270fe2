"""Commits that fail, or of which nobody knows whether they did: never done twice."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pytest_dbguard.runtime.commit_watch import is_unknown
from pytest_dbguard.runtime.errors import UnknownOutcome
from tests.runtime.faults.clients import AsyncClient
from tests.runtime.manager.conftest import ADD, Runs


async def test_a_failure_that_comes_with_commit_is_tried_again(run, postgres, accounts):
    """Write skew is found when the second one commits."""
    attempts = []

    def work(session):
        attempts.append(1)
        total = session.execute(text("SELECT sum(amount) FROM accounts")).scalar()
        session.execute(text("UPDATE accounts SET amount = :total WHERE id = 1"), {"total": total})
        if len(attempts) == 1:
            with postgres.connect() as other:
                other.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
                other.execute("SELECT sum(amount) FROM accounts")
                other.execute("UPDATE accounts SET amount = 1 WHERE id = 2")
                other.execute("COMMIT")

    await run(work, isolation="SERIALIZABLE")
    assert (len(attempts), accounts()) == (2, [11, 1])


async def test_a_session_that_ended_before_commit_is_tried_again(run, postgres, accounts):
    """The server says that it goes, and that is read before COMMIT is sent: so it was not done."""
    attempts = []

    def work(session):
        attempts.append(1)
        session.execute(text(ADD))
        if len(attempts) < 3:
            postgres.terminate_all()

    await run(work)
    assert (len(attempts), accounts()) == (3, [11, 10])


async def test_a_commit_without_an_answer_is_not_tried_again(client, postgres, proxy, accounts):
    between = proxy()
    run = Runs(client(between.url(postgres.url)))
    attempts = []

    def work(session):
        attempts.append(1)
        session.execute(text(ADD))
        between.cut_after(0)

    with pytest.raises(UnknownOutcome, match="may have happened") as caught:
        await run(work)
    assert isinstance(caught.value.__cause__, Exception)
    assert (len(attempts), accounts()) == (1, [11, 10])
    assert await run(lambda session: session.execute(text("SELECT 1")).scalar()) == 1


async def test_plain_sessions_keep_their_error_which_says_that_it_was_commit(client, postgres, proxy, accounts):
    between = proxy()
    used = client(between.url(postgres.url))

    async def commit():
        async with used.held() as execute:
            await execute(ADD)
            between.cut_after(0)
            await execute("SELECT 1")

    with pytest.raises(DBAPIError) as caught:
        await commit()
    assert not is_unknown(caught.value)
    if isinstance(used, AsyncClient):
        async with used.manager.async_session() as session:
            await session.execute(text(ADD))
            between.cut_after(0)
            with pytest.raises(DBAPIError) as caught:
                await session.commit()
    else:
        with used.manager.session() as session:
            session.execute(text(ADD))
            between.cut_after(0)
            with pytest.raises(DBAPIError) as caught:
                session.commit()
    assert is_unknown(caught.value)
    assert any("COMMIT was under way" in note for note in caught.value.orig.__notes__)


async def test_no_answer_to_the_works_own_commit_is_an_unknown_outcome(client, postgres, proxy, accounts):
    between = proxy()
    run = Runs(client(between.url(postgres.url)))

    def work(session):
        session.execute(text(ADD))
        between.cut_after(0)
        session.commit()

    with pytest.raises(UnknownOutcome):
        await run(work)
    assert accounts() == [11, 10]


async def test_work_that_committed_by_itself_is_not_done_again(run, postgres, accounts):
    attempts = []

    def work(session):
        attempts.append(1)
        session.execute(text(ADD))
        session.commit()
        session.execute(text("SELECT 1"))
        postgres.terminate_all()
        session.execute(text("SELECT 1"))

    with pytest.raises(DBAPIError):
        await run(work)
    assert (len(attempts), accounts()) == (1, [11, 10])


async def test_the_end_of_a_savepoint_commits_nothing(run, postgres, accounts):
    attempts = []

    def work(session):
        attempts.append(1)
        with session.begin_nested():
            session.execute(text(ADD))
        if len(attempts) == 1:
            postgres.terminate_all()
        session.execute(text("SELECT 1"))

    await run(work)
    assert (len(attempts), accounts()) == (2, [11, 10])
