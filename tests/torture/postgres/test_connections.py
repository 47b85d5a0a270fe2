"""Connections, transactions and locks that tests leave behind."""

from __future__ import annotations

import asyncio
import threading

import asyncpg
import engines
import psycopg
import pytest
from models import Shop
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

KEPT: list[object] = []
WRITE = text("INSERT INTO node DEFAULT VALUES")


def keep(something):
    KEPT.append(something)
    return something


def test_leaks_pooled_connection():
    keep(engines.primary.connect()).execute(WRITE)


def test_leaks_pooled_connection_that_only_reads():
    keep(engines.readonly.connect()).execute(text("SELECT count(*) FROM customer"))


def test_leaks_pooled_session():
    session = keep(Session(engines.primary))
    session.add(Shop(name="left"))
    session.flush()


def test_leaks_pooled_savepoint():
    connection = keep(engines.primary.connect())
    connection.execute(WRITE)
    connection.begin_nested()
    connection.execute(text("UPDATE customer SET name = 'left'"))


def test_leaks_pooled_failed_transaction():
    connection = keep(engines.primary.connect())
    connection.execute(WRITE)
    with pytest.raises(DBAPIError):
        connection.execute(text("SELECT no_such_column FROM node"))


def test_leaks_pooled_all_connections():
    for _ in range(5):
        keep(engines.primary.connect()).execute(WRITE)


def test_leaks_pooled_lock():
    keep(engines.primary.connect()).execute(text("LOCK TABLE customer, node IN ACCESS EXCLUSIVE MODE"))


def test_leaks_pooled_stream():
    connection = keep(engines.primary.connect())
    rows = connection.execution_options(stream_results=True).execute(text("SELECT * FROM generate_series(1, 1000)"))
    assert keep(rows).fetchone() == (1,)


def test_leaks_pooled_schema_change():
    connection = keep(engines.primary.connect())
    connection.execute(text("ALTER TABLE customer ADD COLUMN left_open integer"))
    connection.execute(text("DROP TABLE gap"))


def test_leaks_pooled_engine_of_its_own(dbguard_database):
    engine = keep(create_engine(dbguard_database.url, poolclass=NullPool))
    keep(engine.connect()).execute(WRITE)


def test_leaks_pooled_connection_of_a_thread():
    thread = threading.Thread(target=lambda: keep(engines.primary.connect()).execute(WRITE))
    thread.start()
    thread.join()


def test_leaks_pooled_asynchronous_session():
    async def leave_open():
        session = keep(AsyncSession(engines.by_asyncpg))
        session.add(Shop(name="left"))
        await session.flush()

    asyncio.run(leave_open())


def test_leaks_pooled_asynchronous_connection():
    async def leave_open():
        await keep(await engines.by_psycopg.connect()).execute(text("LOCK TABLE customer IN ACCESS EXCLUSIVE MODE"))

    asyncio.run(leave_open())


def test_leaks_driver_connection(dsn):
    keep(psycopg.connect(dsn)).execute("INSERT INTO node DEFAULT VALUES")


def test_leaks_driver_lock(dsn):
    keep(psycopg.connect(dsn)).execute("LOCK TABLE customer, stock.item, audit.log IN ACCESS EXCLUSIVE MODE")


def test_leaks_driver_truncate(dsn):
    keep(psycopg.connect(dsn)).execute("TRUNCATE customer, node RESTART IDENTITY CASCADE")


def test_leaks_driver_copy(dsn):
    cursor = keep(psycopg.connect(dsn)).cursor()
    copy = keep(cursor.copy("COPY node (id) FROM STDIN"))
    copy.__enter__().write_row([1])


def test_leaks_driver_pipeline(dsn):
    connection = keep(psycopg.connect(dsn))
    keep(connection.pipeline()).__enter__()
    connection.execute("UPDATE customer SET name = 'left'")


def test_leaks_driver_asyncpg(dsn):
    async def leave_open():
        connection = keep(await asyncpg.connect(dsn))
        await keep(connection.transaction()).start()
        await connection.execute("UPDATE customer SET name = 'left'")

    asyncio.run(leave_open())


def test_leaks_driver_row_locks(dsn):
    keep(psycopg.connect(dsn)).execute("SELECT FROM customer FOR UPDATE")


def test_leaks_driver_statement_in_a_thread(dsn):
    connection = keep(psycopg.connect(dsn))
    connection.execute("UPDATE customer SET name = 'left'")
    started = threading.Event()

    def run():
        cursor = connection.cursor()
        started.set()
        cursor.execute("SELECT pg_sleep(60)")

    keep(threading.Thread(target=run, daemon=True)).start()
    started.wait()


def test_idle_driver_connection(dsn):
    connection = keep(psycopg.connect(dsn, autocommit=True))
    connection.execute("INSERT INTO node DEFAULT VALUES")


def test_cancelled_tasks():
    async def write(engine):
        async with AsyncSession(engine) as session:
            session.add(Shop(name=engine.dialect.driver))
            await session.flush()
            await session.execute(text("SELECT pg_sleep(60)"))

    async def main():
        tasks = [asyncio.create_task(write(engine)) for engine in (engines.by_asyncpg, engines.by_psycopg)]
        async with engines.by_asyncpg.connect() as connection:
            query = text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
            )
            while await connection.scalar(query) != 2:
                assert not any(task.done() for task in tasks), await asyncio.gather(*tasks)
                # a transaction sees the same activity all the time
                await connection.rollback()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())


def test_many_tasks():
    async def write(engine, number):
        async with AsyncSession(engine) as session:
            session.add(Shop(name=f"{engine.dialect.driver} {number}"))
            await session.commit()

    async def main():
        await asyncio.gather(
            *(write(engine, n) for n in range(10) for engine in (engines.by_asyncpg, engines.by_psycopg))
        )

    asyncio.run(main())
    with engines.readonly.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM shop")) == 21


def test_many_threads():
    def write(number):
        with Session(engines.primary) as session:
            session.add(Shop(name=f"thread {number}"))
            session.commit()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engines.readonly.connect() as connection:
        assert connection.scalar(text("SELECT max(id) FROM shop")) == 9


def test_everybody_else_is_ended(admin):
    admin.execute("INSERT INTO node DEFAULT VALUES")
    admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_pools_are_disposed():
    with engines.primary.begin() as connection:
        connection.execute(WRITE)
    engines.primary.dispose()
    asyncio.run(engines.by_psycopg.dispose())


SESSION_STATE = {
    "search_path": "SET search_path = stock, audit",
    "role": "SET ROLE pg_read_all_data",
    "time_zone": "SET TIME ZONE 'Asia/Tokyo'",
    "timeout": "SELECT set_config('statement_timeout', '1ms', false)",
    "replica": "SET session_replication_role = replica",
    "channel": "LISTEN torture",
    "advisory_lock": "SELECT pg_advisory_lock(4711)",
    "temporary_table": "CREATE TEMPORARY TABLE torture AS SELECT * FROM customer",
    "prepared_statement": "PREPARE torture AS SELECT 1",
    "cursor": "DECLARE torture CURSOR WITH HOLD FOR SELECT 1",
}


@pytest.mark.parametrize("what", SESSION_STATE)
def test_session_keeps(what):
    with engines.primary.begin() as connection:
        connection.execute(WRITE)
        connection.execute(text(SESSION_STATE[what]))
    if what not in ("advisory_lock", "temporary_table"):
        with engines.readonly.begin() as connection:
            connection.execute(text(SESSION_STATE[what]))


def test_deferred_constraint_fails():
    with pytest.raises(IntegrityError), engines.primary.begin() as connection:
        connection.execute(text("INSERT INTO employee (department_id) VALUES (99)"))
        connection.execute(WRITE)


def test_serializable_fails():
    serializable = engines.primary.execution_options(isolation_level="SERIALIZABLE")
    with serializable.connect() as one, serializable.connect() as other:
        for connection in (one, other):
            connection.execute(text("SELECT sum(balance) FROM account"))
            connection.execute(text("INSERT INTO account (customer_id, balance) VALUES (1, 5)"))
        one.commit()
        with pytest.raises(DBAPIError, match="could not serialize"):
            other.commit()


def test_deadlock():
    with engines.primary.connect() as one, engines.primary.connect() as other:
        one.execute(text("SET LOCAL deadlock_timeout = '10s'"))
        other.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
        one.execute(text("UPDATE customer SET name = 'x' WHERE id = 1"))
        other.execute(text("UPDATE customer SET name = 'x' WHERE id = 2"))
        thread = threading.Thread(target=one.execute, args=(text("UPDATE customer SET name = 'y' WHERE id = 2"),))
        thread.start()
        with pytest.raises(DBAPIError, match="deadlock"):
            while True:
                other.execute(text("UPDATE customer SET name = 'y' WHERE id = 1"))
        other.rollback()
        thread.join()
        one.commit()
