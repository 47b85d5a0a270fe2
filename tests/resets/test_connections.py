"""Connections that a test leaves open are known, ended, and go on working for whoever holds them."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.pool import NullPool, StaticPool

from pytest_dbguard.databases.engines import make_engine
from pytest_dbguard.resets.base import Leak
from pytest_dbguard.resets.connections import Connections

COUNT = text("SELECT count(*) FROM item")
INSERT = text("INSERT INTO item (\"na%me\") VALUES ('new')")
TEST = "tests/test_it.py::test_it"


def test_nothing_is_left(connections, engine):
    with engine.begin() as connection:
        connection.execute(INSERT)
    assert connections.end_leaks() == ()


def test_a_connection_that_is_kept_is_rolled_back_and_goes_on(connections, engine, database):
    kept = engine.connect()
    kept.execute(INSERT)
    (leak,) = connections.end_leaks()
    assert leak.owner == TEST
    assert leak.message == "a connection with an open transaction"
    assert leak.stack[0].endswith("in test_a_connection_that_is_kept_is_rolled_back_and_goes_on")
    assert database.rows() == 1
    assert engine.pool.checkedout() == 0
    kept.execute(INSERT)
    assert kept.scalar(COUNT) == 2
    assert connections.end_leaks() == ()
    assert database.rows() == 1
    kept.close()


def test_the_stack_shows_application_and_test_code_only(connections, engine):
    kept = engine.connect()
    (leak,) = connections.end_leaks()
    assert len(leak.stack) == 1
    assert leak.stack[0].startswith("tests/resets/test_connections.py:")
    kept.close()


def test_rows_that_are_not_read_to_their_end_hold_no_lock(connections, engine, database):
    kept = engine.connect()
    result = kept.execution_options(stream_results=True).execute(text("SELECT * FROM item UNION ALL SELECT 2, 'x'"))
    result.fetchone()
    assert len(connections.end_leaks()) == 1
    assert database.rows() == 1
    result.close()
    kept.close()


@pytest.mark.parametrize("make", [lambda engine: Session(engine), lambda engine: scoped_session(sessionmaker(engine))])
def test_a_session_that_is_left_open_works_in_the_next_test(connections, engine, database, make):
    session = make(engine)
    session.execute(INSERT)
    (leak,) = connections.end_leaks()
    assert leak.message == "a session with an open transaction"
    assert database.rows() == 1
    assert session.scalar(COUNT) == 1
    session.execute(INSERT)
    session.commit()
    assert database.rows() == 2
    assert connections.end_leaks() == ()


def test_what_nobody_reaches_any_more_is_no_fault(connections, engine, database):
    def use():
        session = Session(engine)
        cycle = [session]
        cycle.append(cycle)
        session.execute(INSERT)
        other = engine.connect()
        cycle.append(other)
        if engine.dialect.name == "postgresql":
            other.execute(COUNT)

    gc.disable()
    try:
        use()
        assert connections.end_leaks() == ()
    finally:
        gc.enable()
    assert database.rows() == 1


def test_fixtures_of_wider_scope_keep_theirs(connections, engine, database):
    connections.enter("tests/conftest.py::wide", is_wide=True)
    wide = engine.connect()
    wide.execute(COUNT)
    connections.enter(TEST, is_wide=False)
    assert connections.end_leaks() == ()
    if engine.dialect.name == "postgresql":
        backend = wide.connection.driver_connection.info.backend_pid
        assert connections.kept_backends() == {backend}
        assert connections.leak_of(backend, "x").owner == "tests/conftest.py::wide"
    assert connections.leak_of(0, "x") == Leak(None, "x")
    wide.close()
    assert connections.kept_backends() == frozenset()


def test_the_cleaner_learns_who_left_a_backend(connections, engine):
    kept = engine.connect()
    kept.execute(INSERT)
    pid = None if engine.dialect.name == "sqlite" else kept.connection.driver_connection.info.backend_pid
    (leak,) = connections.end_leaks()
    assert pid is None or connections.leak_of(pid, "anything") is leak
    kept.close()


def test_an_only_connection_is_no_leak_but_its_transaction_ends(connections, router, database):
    engine = make_engine(database, poolclass=StaticPool)
    router.bind(engine)
    kept = engine.connect()
    kept.execute(INSERT)
    assert connections.end_leaks() == ()
    assert database.rows() == 1
    kept.close()
    engine.dispose()


def test_engines_of_other_databases_are_left_alone(connections):
    other = create_engine("sqlite://")
    kept = other.connect()
    kept.execute(text("SELECT 1"))
    assert connections.end_leaks() == ()
    assert kept.scalar(text("SELECT 1")) == 1
    kept.close()
    other.dispose()


def test_connections_from_before_are_known(database):
    engine = make_engine(database)
    with engine.connect() as connection:
        connection.execute(COUNT)
    ledger = Connections(database)
    ledger.attach()
    ledger.enter(TEST, is_wide=False)
    kept = engine.connect()
    assert [leak.owner for leak in ledger.end_leaks()] == [TEST]
    ledger.detach()
    kept.close()
    engine.dispose()


def test_pools_do_not_run_dry(connections, database):
    engine = make_engine(database, pool_size=1, max_overflow=0, pool_timeout=0.1)
    kept = []
    for _ in range(3):
        kept.append(engine.connect())
        assert len(connections.end_leaks()) == 1
    for connection in kept:
        connection.close()
    engine.dispose()


def test_another_thread_s_connection_is_ended(connections, engine, database):
    kept = []

    def work():
        kept.append(engine.connect())
        kept[0].execute(INSERT)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [leak.owner for leak in connections.end_leaks()] == [TEST]
    assert database.rows() == 1
    kept[0].close()


def test_letting_go_replaces_pooled_and_held_connections(connections, engine):
    held = engine.connect()
    with engine.connect() as connection:
        pooled = connection.connection.dbapi_connection
    connections.let_go()
    with engine.connect() as connection:
        assert connection.connection.dbapi_connection is not pooled
    assert held.scalar(COUNT) == 1
    held.close()


def drivers(database):
    yield database.async_url
    if database.kind != "sqlite":
        yield database.async_url.set(drivername="postgresql+asyncpg")


@pytest.mark.parametrize("number", [0, 1])
def test_asynchronous_leaks_are_ended_and_their_sessions_go_on(connections, database, number):
    urls = list(drivers(database))
    engine = create_async_engine(urls[min(number, len(urls) - 1)])
    session = AsyncSession(engine)

    async def leave():
        await session.execute(INSERT)

    async def go_on():
        assert await session.scalar(COUNT) == 1
        await session.close()
        await engine.dispose()

    asyncio.run(leave())
    (leak,) = connections.end_leaks()
    assert leak.message == "a session with an open transaction"
    assert database.rows() == 1
    asyncio.run(go_on())


@pytest.mark.parametrize("number", [0, 1])
def test_asynchronous_pools_let_go_without_a_loop(connections, database, number):
    urls = list(drivers(database))
    engine = create_async_engine(urls[min(number, len(urls) - 1)])

    async def use():
        async with engine.connect() as connection:
            assert await connection.scalar(COUNT) == 1
            return (await connection.get_raw_connection()).driver_connection

    first = asyncio.run(use())
    connections.let_go()
    assert asyncio.run(use()) is not first
    connections.let_go()


STATE = [
    ("SET search_path = pg_catalog", "SHOW search_path", '"$user", public'),
    ("SET ROLE pg_monitor", "SELECT current_user", "postgres"),
    ("SELECT set_config('app.tenant', '7', false)", "SELECT coalesce(current_setting('app.tenant', true), '')", ""),
    ("CREATE TEMP TABLE own (id int)", "SELECT count(*) FROM pg_class WHERE relname = 'own'", 0),
    ("SELECT pg_advisory_lock(7)", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", 0),
]


@pytest.mark.parametrize("change, look, clean", STATE)
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_what_a_test_sets_in_a_session_ends_with_it(connections, engine, change, look, clean):
    with engine.begin() as connection:
        connection.execute(text(change))
    connections.end_leaks()
    with engine.connect() as connection:
        assert connection.scalar(text(look)) == clean


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_what_is_local_to_a_transaction_costs_no_connection(connections, engine):
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL search_path = pg_catalog"))
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text("SELECT set_config('app.tenant', '7', true)"))
        backend = connection.connection.driver_connection
    connections.end_leaks()
    with engine.connect() as connection:
        assert connection.connection.driver_connection is backend


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_connection_that_waits_for_an_answer_is_not_waited_for(connections, engine, database):
    kept, failed = engine.connect(), []
    driver = kept.connection.driver_connection

    def work():
        try:
            kept.execute(text("SELECT pg_sleep(600)"))
        except DBAPIError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while driver.pgconn.transaction_status != 1:
        pass
    backend = driver.info.backend_pid
    (leak,) = connections.end_leaks()
    assert connections.leak_of(backend, "") is leak
    with make_engine(database, poolclass=NullPool).connect() as admin:
        admin.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
    thread.join()
    assert len(failed) == 1
    kept.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_statement_of_sqlite_that_runs_is_interrupted(connections, engine, database):
    endless = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
    kept, began, failed = engine.connect(), threading.Event(), []
    kept.connection.driver_connection.set_progress_handler(began.set, 1000)

    def work():
        try:
            kept.execute(endless)
        except DBAPIError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    assert len(connections.end_leaks()) == 1
    thread.join()
    assert len(failed) == 1
    assert database.rows() == 1
    kept.close()


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_connection_whose_server_has_gone_raises_nothing(connections, engine, database):
    kept, session = engine.connect(), Session(engine)
    kept.execute(INSERT)
    session.execute(COUNT)
    with make_engine(database, poolclass=NullPool).connect() as admin:
        admin.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()"
            )
        )
    assert len(connections.end_leaks()) == 2
    assert session.scalar(COUNT) == 1
    session.close()
    kept.close()
    connections.end_leaks()
    with engine.connect() as connection:
        assert connection.scalar(COUNT) == 1
