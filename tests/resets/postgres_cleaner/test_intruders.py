"""Open transactions, locks and broken connections: they are ended and told, and nothing hangs."""

from __future__ import annotations

import threading

import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.resets.base import Did

INSERT = "INSERT INTO city (name) VALUES ('x')"


def pid(connection):
    return connection.info.backend_pid


@pytest.fixture
def open_transaction(guarded):
    """Open a transaction that nobody ends."""
    opened = []

    def open_transaction(*statements):
        connection = guarded.connect(autocommit=False)
        opened.append(connection)
        for statement in statements:
            connection.execute(statement)
        guarded.ledger.owners[pid(connection)] = "test_leaky"
        return connection

    yield open_transaction
    for connection in opened:
        connection.close()


@pytest.mark.parametrize(
    "statements",
    [
        [INSERT],
        ["SELECT * FROM country FOR UPDATE"],
        ["LOCK TABLE city IN ACCESS EXCLUSIVE MODE"],
        ["TRUNCATE city"],
        ["ALTER TABLE city ADD COLUMN x int"],
        ["ALTER SEQUENCE ticket RESTART WITH 3"],
        ["DROP TABLE scratch"],
        ["DELETE FROM city"],
        ["CREATE TEMP TABLE t AS SELECT 1", "SELECT 1"],
    ],
    ids=str,
)
def test_an_open_transaction_is_ended_and_told(guarded, open_transaction, statements):
    guarded.run(INSERT, "UPDATE country SET name = 'x' WHERE code = 'it'")
    open_transaction(*statements)
    outcome = guarded.cleaner.clean()
    assert [(leak.owner, leak.message) for leak in outcome.leaks] == [
        ("test_leaky", "a connection with an open transaction")
    ]
    assert guarded.is_as_before()


def test_a_failed_transaction_too(guarded, open_transaction):
    connection = open_transaction(INSERT)
    with pytest.raises(Exception, match="division"):
        connection.execute("SELECT 1 / 0")
    assert len(guarded.cleaner.clean().leaks) == 1
    assert guarded.is_as_before()


def test_a_running_statement_is_ended_after_a_moment(guarded):
    running = guarded.connect()
    outcomes = []

    def run():
        try:
            running.execute("INSERT INTO city (name) SELECT 'x' FROM pg_sleep(600)")
        except Exception as error:
            outcomes.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    with guarded.connect() as connection:
        while connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'", [pid(running)]
        ).fetchone() == (0,):
            pass
    outcome = guarded.cleaner.clean()
    thread.join(10)
    assert [leak.message for leak in outcome.leaks] == ["a connection with a statement that was still running"]
    assert len(outcomes) == 1
    assert guarded.is_as_before()


def test_transactions_of_wider_fixtures_stay(guarded, open_transaction):
    connection = open_transaction("SELECT * FROM country")
    guarded.ledger.kept = frozenset({pid(connection)})
    guarded.run(INSERT)
    outcome = guarded.cleaner.clean()
    assert (outcome.did, outcome.leaks) == (Did.EMPTIED, ())
    assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.rollback()
    assert guarded.is_as_before()


def test_rows_that_a_wider_fixture_commits_late_are_found(guard):
    guarded = guard()
    with guarded.connect(autocommit=False) as connection:
        connection.execute(INSERT)
        guarded.ledger.kept = frozenset({pid(connection)})
        guarded.run("INSERT INTO scratch (value) VALUES ('a')")
        assert guarded.cleaner.clean().dirty == ("scratch",)
        assert guarded.cleaner.clean().did is Did.NOTHING
        connection.commit()
        assert guarded.cleaner.clean().dirty == ("city",)
    assert guarded.is_as_before()


@pytest.mark.parametrize("lock", ["LOCK TABLE city IN ACCESS EXCLUSIVE MODE", "SELECT * FROM country FOR UPDATE"])
def test_a_wider_fixture_that_stands_in_the_way_is_named(guarded, open_transaction, lock):
    guarded.run("UPDATE country SET name = 'x'")
    connection = open_transaction(lock)
    guarded.ledger.kept = frozenset({pid(connection)})
    guarded.ledger.owners[pid(connection)] = "fixture 'catalogue'"
    with pytest.raises(DatabaseError, match="fixture 'catalogue' holds locks") as caught:
        guarded.cleaner.clean()
    assert "commit or roll back" in caught.value.hint
    connection.rollback()
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_our_own_connection_is_ended_by_a_test(guarded):
    for _ in range(2):
        guarded.run(
            INSERT,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        outcome = guarded.cleaner.clean()
        assert (outcome.did, outcome.dirty, outcome.leaks) == (Did.EMPTIED, ("city",), ())
    assert guarded.is_as_before()


@pytest.mark.parametrize("ending", ["DROP DATABASE {} WITH (FORCE)", "ALTER DATABASE {} RENAME TO {}_elsewhere"])
def test_the_database_is_gone(guard, ending):
    guarded = guard()
    name = guarded.url.database
    with guarded.copies.server_connection() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        connection.execute(ending.format(name, name))
    assert guarded.cleaner.is_dirty()
    assert guarded.cleaner.clean().did is Did.SWAPPED
    assert guarded.is_as_before()
    guarded.copies.drop(f"{name}_elsewhere")


def test_cached_values_of_sequences_are_let_go(guard):
    guarded = guard(script="CREATE SEQUENCE cached CACHE 10; CREATE TABLE t (id int DEFAULT nextval('cached'))")
    guarded.run("INSERT INTO t DEFAULT VALUES")
    guarded.cleaner.clean()
    assert guarded.ledger.let_go_of == 1
    assert guarded.is_as_before()
