"""All engines of a test work inside one transaction, and are as they were before once it has ended."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.engines import make_async_engine, make_engine
from pytest_dbguard.resets.base import Did, Leak, Outcome
from tests.resets.items import COUNT, INSERT, insert


def test_engines_share_one_transaction_that_is_rolled_back(engine, router, reset, cleaner, database):
    other = create_engine("sqlite://" if database.kind == "sqlite" else "postgresql+psycopg://x/y")
    router.bind(other)
    for _ in range(3):
        reset.begin()
        insert(engine, "new")
        with other.begin() as connection:
            assert connection.scalar(COUNT) == 2
            connection.execute(INSERT, {"name": "other"})
        with Session(engine) as session:
            assert session.scalar(COUNT) == 3
        assert reset.end() == Outcome(Did.ROLLED_BACK)
        assert database.rows() == 1
    assert cleaner.cleaned == 3


def test_a_test_that_uses_nothing_costs_no_connection(engine, reset):
    reset.begin()
    assert reset.end() == Outcome(Did.NOTHING)
    assert engine.pool.checkedin() == 0


def test_nested_transactions_of_two_connections(engine, reset, database):
    reset.begin()
    with engine.connect() as outer, engine.connect() as inner:
        outer.execute(COUNT)
        inner.execute(INSERT, {"name": "a"})
        inner.commit()
        assert outer.scalar(COUNT) == 2
        inner.execute(INSERT, {"name": "b"})
        inner.rollback()
        assert outer.scalar(COUNT) == 2
        outer.rollback()
    assert reset.end().warnings == ()
    assert database.rows() == 1


def test_a_second_connection_that_sees_too_early_is_told(engine, reset):
    reset.begin()
    with engine.connect() as first, engine.connect() as second:
        first.execute(INSERT, {"name": "a"})
        assert second.scalar(COUNT) == 2
    (warning,) = reset.end().warnings
    assert "it sees them in a test that is rolled back, and nowhere else" in warning


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_transactions_that_end_out_of_order_are_told(engine, reset, database, end):
    reset.begin()
    with engine.connect() as first, engine.connect() as second:
        first.execute(COUNT)
        second.execute(COUNT)
        first.execute(INSERT, {"name": "a"})
        second.execute(INSERT, {"name": "b"})
        getattr(first, end)()
        second.commit()
        assert first.scalar(COUNT) == (3 if end == "commit" else 1)
    assert any("did not end in the reverse order" in warning for warning in reset.end().warnings)
    assert database.rows() == 1


def test_a_commit_of_the_driver_is_told_and_does_no_harm(engine, reset):
    reset.begin()
    connection = engine.connect()
    connection.execute(COUNT)
    connection.connection.dbapi_connection.rollback()
    connection.commit()
    assert connection.scalar(COUNT) == 1
    connection.close()
    assert any("ended below SQLAlchemy" in warning for warning in reset.end().warnings)


def test_other_threads_take_part(engine, reset, database):
    reset.begin()
    insert(engine, "new")
    seen = []

    def work():
        with engine.connect() as connection:
            seen.append(connection.scalar(COUNT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [2]
    reset.end()
    assert database.rows() == 1


def test_sessions_and_connections_that_are_left_open(engine, reset, database):
    reset.begin()
    session, connection = Session(engine), engine.connect()
    session.execute(INSERT, {"name": "a"})
    connection.execute(INSERT, {"name": "b"})
    outcome = reset.end()
    assert sorted(leak.message for leak in outcome.leaks) == [
        "a connection with an open transaction",
        "a session with an open transaction",
    ]
    assert database.rows() == 1
    assert session.scalar(COUNT) == 1
    assert connection.scalar(COUNT) == 1
    session.close()
    connection.close()


def test_a_connection_that_is_invalidated_begins_anew(engine, reset, database):
    reset.begin()
    insert(engine, "lost")
    connection = engine.connect()
    connection.invalidate()
    assert connection.scalar(COUNT) == 1
    connection.close()
    reset.end()
    assert database.rows() == 1


def test_what_was_committed_elsewhere_is_told(engine, reset, cleaner):
    elsewhere = Leak(None, "a connection with an open transaction")
    cleaner.outcome = Outcome(Did.EMPTIED, ("item",), leaks=(elsewhere,))
    reset.begin()
    outcome = reset.end()
    assert outcome.did is Did.EMPTIED
    assert outcome.leaks == (elsewhere,)
    assert outcome.warnings == ("a connection that is not rolled back changed item",)


def test_fixed_isolation_levels(router, reset, database):
    level = "SERIALIZABLE"
    engine = make_engine(database, isolation_level=level)
    automatic = make_engine(database, isolation_level="AUTOCOMMIT")
    router.bind(engine)
    reset.begin()
    insert(engine, "new")
    with engine.connect() as connection:
        assert connection.get_isolation_level() == level
    reset.end()
    assert database.rows() == 1
    router.bind(automatic)
    reset.begin()
    with pytest.raises(DatabaseError, match="cannot become 'AUTOCOMMIT'"), automatic.connect():
        pass
    reset.end()
    engine.dispose()


def test_a_deferred_constraint_that_a_commit_would_have_checked(engine, reset, database):
    deferred = "FOREIGN KEY (item) REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED"
    reset.begin()
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE child (item INTEGER, CONSTRAINT child_item {deferred})"))
        connection.execute(text("INSERT INTO child VALUES (99)"))
    (warning,) = reset.end().warnings
    if database.kind == "sqlite":
        assert warning.startswith("COMMIT would have failed: a foreign key of table 'child' to 'item' is checked")
    else:
        assert warning.startswith("COMMIT would have failed: constraint 'child_item' of table 'child' is checked")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_applications_that_begin_sqlite_s_transactions_themselves(router, reset, database):
    engine = create_engine("sqlite://")
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    router.bind(engine)
    reset.begin()
    insert(engine, "new")
    with engine.connect() as connection:
        assert connection.scalar(COUNT) == 2
    assert reset.end().warnings == ()
    assert database.rows() == 1
    insert(engine, "stays")
    assert database.rows() == 2


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_what_outlives_a_transaction_ends_with_the_test(engine, reset):
    reset.begin()
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_lock(7)"))
    reset.end()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0


def drivers(database):
    yield database.async_url
    if database.kind != "sqlite":
        yield database.async_url.set(drivername="postgresql+asyncpg")


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("leaves", [False, True])
def test_asynchronous_engines_are_rolled_back(router, reset, database, number, leaves):
    urls = list(drivers(database))
    engine = create_async_engine(urls[min(number, len(urls) - 1)])
    router.bind(engine)
    kept = []

    async def work(name):
        async with engine.begin() as connection:
            await connection.execute(INSERT, {"name": name})
        session = AsyncSession(engine)
        assert await session.scalar(COUNT) == 2
        if leaves:
            kept.append(session)
        else:
            await session.close()

    for name in ("a", "b"):
        reset.begin()
        asyncio.run(work(name))
        outcome = reset.end()
        assert outcome.did is Did.ROLLED_BACK
        assert len(outcome.leaks) == leaves
        assert database.rows() == 1
    pool = engine.sync_engine.pool
    assert type(pool).__name__ != "LentPool"


def test_a_synchronous_and_an_asynchronous_engine_in_one_test(engine, router, reset, database):
    other = make_async_engine(database)
    router.bind(other)

    async def count():
        async with other.connect() as connection:
            return await connection.scalar(COUNT)

    reset.begin()
    with engine.connect() as connection:
        connection.execute(COUNT)
    assert asyncio.run(count()) == 1
    assert any("do not see each other's changes" in warning for warning in reset.end().warnings)


def test_a_failed_transaction_that_is_left_in_a_session(engine, reset):
    reset.begin()
    session = Session(engine)
    with pytest.raises(DBAPIError):
        session.execute(INSERT, {"name": "seed"})
    reset.end()
    try:
        assert session.scalar(COUNT) == 1
    except PendingRollbackError:
        pytest.fail("the session was not rolled back")
    session.close()
