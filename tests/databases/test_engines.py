"""Engines of all kinds on one database."""

from __future__ import annotations

import asyncio
import sqlite3
import sys

import pytest
from sqlalchemy import event, inspect, text
from sqlalchemy.exc import IntegrityError

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.engines import make_async_engine, make_engine
from pytest_dbguard.databases.sqlite import SqliteDatabase, SqliteProvider, address


@pytest.fixture
def engine(database):
    engine = make_engine(database)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS child"))
        connection.execute(text("DROP TABLE IF EXISTS item"))
        connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY)"))
    yield engine
    engine.dispose()


def count(connection):
    return connection.scalar(text("SELECT count(*) FROM item"))


def test_sync_and_async_engines_see_the_same_database(database, engine):
    async def read_and_write():
        async_engine = make_async_engine(database)
        async with async_engine.begin() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM item")) == 1
            await connection.execute(text("INSERT INTO item VALUES (2)"))

    with engine.begin() as connection:
        connection.execute(text("INSERT INTO item VALUES (1)"))
    asyncio.run(read_and_write())
    with engine.connect() as connection:
        assert count(connection) == 2


def test_ddl_and_rows_roll_back(engine):
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO item VALUES (1)"))
        connection.execute(text("CREATE TABLE gone (id INTEGER)"))
        with connection.begin_nested():
            connection.execute(text("INSERT INTO item VALUES (2)"))
        connection.rollback()
        assert count(connection) == 0
    assert not inspect(engine).has_table("gone")


def test_foreign_keys_are_enforced(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE child (item INTEGER REFERENCES item (id))"))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("INSERT INTO child VALUES (99)"))


def test_listeners_see_no_statement_of_ours(engine):
    seen = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    with engine.begin() as connection:
        connection.execute(text("SELECT 1"))
    assert seen == ["SELECT 1"]


def test_two_databases_of_one_process_are_apart():
    first, second = SqliteProvider().start(), SqliteProvider().start()
    engines = [make_engine(first), make_engine(second)]
    with engines[0].begin() as connection:
        connection.execute(text("CREATE TABLE only_here (id INTEGER)"))
    assert [inspect(engine).has_table("only_here") for engine in engines] == [True, False]
    for one in (*engines, first, second):
        getattr(one, "dispose", None) and one.dispose()
        getattr(one, "close", None) and one.close()


def test_sqlite_older_than_memdb_shares_a_cache():
    database = SqliteDatabase(*address("dbguard-old", (3, 34, 0)))
    engine = make_engine(database)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE item (id INTEGER)"))

    async def read():
        async with make_async_engine(database).connect() as connection:
            return await connection.scalar(text("SELECT count(*) FROM item"))

    assert asyncio.run(read()) == 0
    engine.dispose()
    database.close()
    assert database.version == sqlite3.sqlite_version


def test_a_missing_async_driver_is_told_with_the_next_step(monkeypatch):
    database = SqliteProvider().start()
    monkeypatch.setitem(sys.modules, "aiosqlite", None)
    with pytest.raises(DatabaseError) as caught:
        make_async_engine(database)
    assert str(caught.value) == (
        "the asynchronous fixtures need aiosqlite, not installed here\n  run: pip install 'pytest-dbguard[async]'"
    )
    database.close()
