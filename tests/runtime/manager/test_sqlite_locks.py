"""SQLite's "database is locked": comes at once here, and is waited for by doing the transaction again."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from tests.runtime.manager.conftest import ADD, NO_WAIT


@pytest.fixture
def used(manager, file_url):
    used = manager(url=file_url, timeouts={"lock_s": 0.001})
    with used.engine().begin() as connection:
        connection.execute(text("CREATE TABLE accounts (id int PRIMARY KEY, amount int)"))
        connection.execute(text("INSERT INTO accounts VALUES (1, 10)"))
    return used


@pytest.fixture
def other(file_url):
    path = file_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def test_a_lock_is_waited_for_by_trying_again(used, other):
    attempts = []
    other.execute("BEGIN IMMEDIATE")

    def work(session):
        attempts.append(1)
        if len(attempts) == 3:
            other.execute("COMMIT")
        session.execute(text(ADD))

    used.run(work, backoff=NO_WAIT)
    assert len(attempts) == 3
    assert other.execute("SELECT amount FROM accounts").fetchall() == [(11,)]


def test_a_reader_that_keeps_commit_from_happening(used, other):
    """In a rollback journal, COMMIT itself fails; the transaction is rolled back, and done again."""
    attempts = []
    other.execute("BEGIN")
    other.execute("SELECT * FROM accounts").fetchall()

    def work(session):
        attempts.append(1)
        if len(attempts) == 2:
            other.execute("COMMIT")
        session.execute(text(ADD))

    used.run(work, backoff=NO_WAIT)
    assert len(attempts) == 2
    assert other.execute("SELECT amount FROM accounts").fetchall() == [(11,)]


def test_a_lock_that_stays_is_told(used, other):
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked") as caught:
        used.run(lambda session: session.execute(text(ADD)), retries=1, backoff=NO_WAIT)
    assert "the transaction was tried 2 times" in caught.value.__notes__


async def test_asynchronously(used, other):
    attempts = []
    other.execute("BEGIN IMMEDIATE")

    async def work(session):
        attempts.append(1)
        if len(attempts) == 2:
            other.execute("COMMIT")
        await session.execute(text(ADD))

    await used.run_async(work, backoff=NO_WAIT)
    assert len(attempts) == 2
    assert other.execute("SELECT amount FROM accounts").fetchall() == [(11,)]
    await used.stop_async(0)


@pytest.mark.parametrize("by_role", [False, True])
def test_what_was_read_does_not_change_where_that_is_asked_for(manager, file_url, other, used, by_role):
    """An amount that is read, changed and written back: nobody else's change is lost."""
    isolation = {"roles": {"primary": {"isolation": "SERIALIZABLE"}}} if by_role else {}
    used = manager(url=file_url, timeouts={"lock_s": 0.001}, **isolation)
    other.execute("PRAGMA journal_mode = WAL")
    attempts = []

    def work(session):
        amount = session.scalar(text("SELECT amount FROM accounts"))
        if not attempts:
            other.execute("UPDATE accounts SET amount = 50")
        attempts.append(amount)
        assert session.scalar(text("SELECT amount FROM accounts")) == amount
        session.execute(text("UPDATE accounts SET amount = :amount"), {"amount": amount + 1})

    used.run(work, backoff=NO_WAIT, isolation=None if by_role else "SERIALIZABLE")
    assert attempts == [10, 50]
    assert other.execute("SELECT amount FROM accounts").fetchall() == [(51,)]
