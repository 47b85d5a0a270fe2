"""Connections, transactions and cursors that tests leave behind."""

from __future__ import annotations

import asyncio
import threading

import engines
import pytest
from models import Shop
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

KEPT: list[object] = []
WRITE = text("INSERT INTO node (parent_id) VALUES (NULL)")


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


def test_leaks_pooled_exclusive_lock():
    keep(engines.primary.connect()).exec_driver_sql("BEGIN EXCLUSIVE")


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


def test_leaks_pooled_cursor():
    cursor = keep(keep(engines.primary.raw_connection()).cursor())
    cursor.execute("SELECT * FROM customer, log, account")
    assert cursor.fetchone()


def test_leaks_pooled_schema_change():
    connection = keep(engines.primary.connect())
    connection.execute(text("BEGIN"))
    connection.execute(text("DROP TABLE watched"))


def test_leaks_pooled_engine_of_its_own(dbguard_database):
    engine = keep(create_engine(dbguard_database.url, poolclass=NullPool))
    keep(engine.connect()).execute(WRITE)


def test_leaks_pooled_connection_of_a_thread():
    thread = threading.Thread(target=lambda: keep(engines.primary.connect()).execute(WRITE))
    thread.start()
    thread.join()


def test_leaks_pooled_asynchronous_session():
    async def leave_open():
        session = keep(AsyncSession(engines.asynchronous))
        session.add(Shop(name="left"))
        await session.flush()

    asyncio.run(leave_open())


def test_cancelled_task():
    async def write(started):
        async with AsyncSession(engines.asynchronous) as session:
            session.add(Shop(name="cancelled"))
            await session.flush()
            started.set()
            await session.execute(
                text(
                    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) "
                    "SELECT count(*) FROM n"
                )
            )

    async def main():
        started = asyncio.Event()
        task = asyncio.create_task(write(started))
        await started.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def test_many_tasks():
    async def write(number):
        async with AsyncSession(engines.asynchronous) as session:
            session.add(Shop(name=f"task {number}"))
            await session.commit()

    async def main():
        await asyncio.gather(*map(write, range(5)))

    asyncio.run(main())
    with engines.readonly.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM shop")) == 6


def test_idle_driver_connection(connect):
    keep(connect()).execute("INSERT INTO node (parent_id) VALUES (NULL)")


def test_pools_are_disposed():
    with engines.primary.begin() as connection:
        connection.execute(WRITE)
    engines.primary.dispose()
    asyncio.run(engines.asynchronous.dispose())
