"""Tests whose markers choose another reset, between others that do not."""

from __future__ import annotations

import asyncio

import engines
import psycopg
import pytest
from models import Shop
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

KEPT: list[object] = []
COUNT = select(func.count(Shop.id))


def add_shop():
    with Session(engines.primary) as session:
        shop = Shop(name="new")
        session.add(shop)
        session.commit()
        assert shop.id == 2
    return shop


@pytest.mark.dbguard(reset="rollback")
class TestRollback:
    def test_orm(self, dbguard_session, dsn):
        add_shop()
        assert dbguard_session.scalar(COUNT) == 2
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT count(*) FROM shop").fetchone() == (1,)

    def test_errors(self):
        with pytest.raises(IntegrityError), Session(engines.primary) as session:
            session.add(Shop(name="corner"))
            session.commit()
        with Session(engines.primary) as session:
            session.add(Shop(name="new"))
            session.commit()
            assert session.scalar(COUNT) == 2

    def test_schema(self):
        with engines.primary.begin() as connection:
            connection.execute(text("DROP TABLE gap"))
            connection.execute(text("CREATE TABLE later (id serial)"))

    def test_truncate(self):
        with engines.primary.begin() as connection:
            connection.execute(text("TRUNCATE customer, node RESTART IDENTITY CASCADE"))

    def test_leaks_pooled_session(self):
        session = Session(engines.primary)
        session.add(Shop(name="left"))
        session.flush()
        KEPT.append(session)

    def test_commits_outside(self, admin):
        admin.execute("INSERT INTO node DEFAULT VALUES")
        admin.execute("SELECT nextval('ticket')")

    @pytest.mark.parametrize("engine", [engines.by_asyncpg, engines.by_psycopg], ids=["asyncpg", "psycopg"])
    def test_asynchronous(self, engine):
        async def write():
            async with AsyncSession(engine) as session:
                session.add(Shop(name="new"))
                await session.commit()
                assert await session.scalar(COUNT) == 2

        asyncio.run(write())

    def test_ends_everybody_else(self, admin):
        add_shop()
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.dbguard(reset="truncate")
def test_truncate():
    add_shop()


@pytest.mark.dbguard(reset="truncate")
def test_truncate_with_a_schema_change():
    with engines.primary.begin() as connection:
        connection.execute(text("ALTER TABLE node ADD COLUMN later integer"))


@pytest.mark.dbguard(reset="clone")
def test_clone():
    add_shop()


@pytest.mark.dbguard(reset="clone")
def test_leaks_pooled_before_a_clone():
    KEPT.append(engines.primary.connect())
    KEPT[-1].execute(text("LOCK TABLE customer IN ACCESS EXCLUSIVE MODE"))


@pytest.mark.dbguard(fresh=True)
def test_fresh():
    add_shop()


@pytest.mark.dbguard(reset="none")
def test_none():
    with engines.primary.connect() as connection:
        assert connection.scalar(COUNT) == 1
