"""Functions of a project that make tables or add data, sync and async, on both databases."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from pytest_dbguard.databases.engines import make_engine
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.templates.steps import steps_for


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request, server, on_server):
    """An engine on an empty database."""
    if request.param == "sqlite":
        database = load_provider("sqlite").start()
        engine = make_engine(database)
    else:
        on_server.run("CREATE DATABASE {}", "dbguard_x")
        engine = create_engine(server.url.set(database="dbguard_x"))
    yield engine
    engine.dispose()
    if request.param == "sqlite":
        database.close()


def migrate(engine, function):
    (step,) = steps_for("migrate", function, root=os.getcwd())
    step.run(engine)


def seed(engine, function):
    (step,) = steps_for("seed", function, root=os.getcwd())
    step.run(engine)


def items(engine):
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT id FROM item ORDER BY id")))


def create(engine):
    assert isinstance(engine, Engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY)"))


async def create_async(engine):
    assert isinstance(engine, AsyncEngine)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY)"))


def create_half_async(engine):
    async def work():
        create(engine)

    return work()


@pytest.mark.parametrize("function", [create, create_async, create_half_async])
def test_a_function_makes_tables(engine, function):
    migrate(engine, function)
    assert items(engine) == []


def add(session):
    assert isinstance(session, Session)
    session.execute(text("INSERT INTO item VALUES (1)"))


async def add_async(session):
    assert isinstance(session, AsyncSession)
    await session.execute(text("INSERT INTO item VALUES (1)"))


@pytest.mark.parametrize("function", [add, add_async])
def test_a_seed_is_committed(engine, function):
    migrate(engine, create)
    seed(engine, function)
    assert items(engine) == [1]


@pytest.mark.parametrize("function", [add, add_async])
def test_it_works_while_an_event_loop_runs(engine, function):
    async def main():
        migrate(engine, create_async)
        seed(engine, function)
        return asyncio.get_running_loop()

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(main())
        seed(engine, lambda session: None)
        assert asyncio.get_event_loop() is loop  # the thread's own is still there
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert items(engine) == [1]


def test_a_function_without_argument_is_led_to_the_database_by_any_engine(engine, monkeypatch, tmp_path):
    is_sqlite = engine.dialect.name == "sqlite"
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}" if is_sqlite else "postgresql+psycopg://nobody@127.0.0.1:1/x"
    asynchronous = elsewhere.replace("sqlite:", "sqlite+aiosqlite:").replace("+psycopg", "+asyncpg")
    engines = [create_engine(elsewhere), create_async_engine(asynchronous)]
    monkeypatch.setenv("DATABASE_URL", asynchronous)
    monkeypatch.setenv("DB_URL", "mysql://somewhere")
    monkeypatch.delenv("SQLALCHEMY_DATABASE_URI", raising=False)
    seen = {}

    def create_alone():
        create(engines[0])

    async def add_alone():
        seen.update(os.environ)
        async with engines[1].begin() as connection:
            await connection.execute(text("INSERT INTO item VALUES (1)"))
        await engines[1].dispose()

    migrate(engine, create_alone)
    seed(engine, add_alone)
    assert items(engine) == [1]
    led = make_url(seen["DATABASE_URL"])
    assert led.drivername == make_url(asynchronous).drivername
    assert (led.database, led.query) == (engine.url.database, engine.url.query)
    assert make_url(seen["DB_URL"]) == engine.url
    assert "SQLALCHEMY_DATABASE_URI" not in seen
    assert os.environ["DATABASE_URL"] == asynchronous
    engines[0].dispose()
    with create_engine(elsewhere).connect() if is_sqlite else pytest.raises(Exception, match="refused") as connection:
        if is_sqlite:
            assert connection.scalar(text("SELECT count(*) FROM sqlite_master")) == 0
        else:
            engines[0].connect()


def test_a_program_that_it_starts_finds_the_database_in_a_variable(engine):
    if engine.dialect.name == "sqlite":
        return  # another process does not see what is in the memory of this one

    def run_program():
        import subprocess

        program = """
import os, sqlalchemy
with sqlalchemy.create_engine(os.environ["DATABASE_URL"]).begin() as connection:
    connection.execute(sqlalchemy.text("CREATE TABLE item (id INTEGER PRIMARY KEY)"))
"""
        subprocess.run([sys.executable, "-c", program], check=True)

    migrate(engine, run_program)
    assert items(engine) == []
