"""Connections, transactions and locks that tests leave behind."""

from __future__ import annotations

import asyncio
import threading

import dialect
import engines
import pytest
from mischief import WRITE, keep
from models import Shop
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

asynchronous = pytest.mark.parametrize("engine", engines.asynchronous, ids=lambda engine: engine.dialect.driver)


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


def test_leaks_pooled_lock():
    keep(engines.primary.connect()).exec_driver_sql(dialect.LOCK)


def test_leaks_pooled_cursor():
    cursor = keep(keep(engines.primary.raw_connection()).cursor())
    cursor.execute("SELECT * FROM customer, shop, account")
    assert cursor.fetchone()


def test_leaks_pooled_schema_change():
    connection = keep(engines.primary.connect())
    connection.execute(WRITE)
    connection.execute(text("ALTER TABLE customer ADD COLUMN left_open integer"))
    connection.execute(text("DROP TABLE watched"))


def test_leaks_pooled_engine_of_its_own(dbguard_database):
    engine = keep(create_engine(dbguard_database.url, poolclass=NullPool))
    keep(engine.connect()).execute(WRITE)


def test_leaks_pooled_connection_of_a_thread():
    thread = threading.Thread(target=lambda: keep(engines.primary.connect()).execute(WRITE))
    thread.start()
    thread.join()


@asynchronous
def test_leaks_pooled_asynchronous_session(engine):
    async def leave_open():
        session = keep(AsyncSession(engine))
        session.add(Shop(name="left"))
        await session.flush()

    asyncio.run(leave_open())


@asynchronous
def test_leaks_pooled_asynchronous_connection(engine):
    async def leave_open():
        await keep(await engine.connect()).exec_driver_sql(dialect.LOCK)

    asyncio.run(leave_open())


def test_idle_driver_connection(connect):
    keep(connect()).execute(str(WRITE))


def test_pools_are_disposed():
    with engines.primary.begin() as connection:
        connection.execute(WRITE)
    engines.primary.dispose()
    for engine in engines.asynchronous:
        asyncio.run(engine.dispose())
