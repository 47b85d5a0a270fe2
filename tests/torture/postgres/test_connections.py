"""Connections, transactions and locks as only PostgreSQL has them."""

from __future__ import annotations

import asyncio
import threading

import asyncpg
import engines
import psycopg
import pytest
from mischief import WRITE, keep
from models import Shop
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession


def test_leaks_pooled_all_connections():
    for _ in range(5):
        keep(engines.primary.connect()).execute(WRITE)


def test_leaks_pooled_stream():
    connection = keep(engines.primary.connect())
    rows = connection.execution_options(stream_results=True).execute(text("SELECT * FROM generate_series(1, 1000)"))
    assert keep(rows).fetchone() == (1,)


def test_leaks_driver_connection(dsn):
    keep(psycopg.connect(dsn)).execute(str(WRITE))


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


def test_cancelled_tasks():
    async def write(engine):
        async with AsyncSession(engine) as session:
            session.add(Shop(name=engine.dialect.driver))
            await session.flush()
            await session.execute(text("SELECT pg_sleep(60)"))

    async def main():
        tasks = [asyncio.create_task(write(engine)) for engine in engines.asynchronous]
        async with engines.by_asyncpg.connect() as connection:
            query = text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
            )
            while await connection.scalar(query) != len(tasks):
                assert not any(task.done() for task in tasks), await asyncio.gather(*tasks)
                # a transaction sees the same activity all the time
                await connection.rollback()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())


def test_everybody_else_is_ended(admin, end_everybody_else):
    admin.execute("INSERT INTO node DEFAULT VALUES")
    end_everybody_else()


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
