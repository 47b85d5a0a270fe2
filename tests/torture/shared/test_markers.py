"""Tests whose markers choose another reset, between others that do not."""

from __future__ import annotations

import asyncio

import dialect
import engines
import pytest
from mischief import COUNT, add_shop, keep, write
from models import Shop
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session


@pytest.mark.dbguard(reset="rollback")
class TestRollback:
    def test_orm(self, dbguard_session):
        add_shop()
        assert dbguard_session.scalar(COUNT) == 2

    def test_errors(self):
        with pytest.raises(IntegrityError), Session(engines.primary) as session:
            session.add(Shop(name="corner"))
            session.commit()
        with Session(engines.primary) as session:
            session.add(Shop(name="new"))
            session.commit()
            assert session.scalar(COUNT) == 2

    def test_schema(self):
        write("DROP TABLE watched", "CREATE TABLE later (id integer PRIMARY KEY)")

    def test_leaks_pooled_session(self):
        session = keep(Session(engines.primary))
        session.add(Shop(name="left"))
        session.flush()

    @pytest.mark.parametrize("engine", engines.asynchronous, ids=lambda engine: engine.dialect.driver)
    def test_asynchronous(self, engine):
        async def write():
            async with AsyncSession(engine) as session:
                session.add(Shop(name="new"))
                await session.commit()
                assert await session.scalar(COUNT) == 2

        asyncio.run(write())


@pytest.mark.dbguard(reset="truncate")
def test_truncate():
    add_shop()


@pytest.mark.dbguard(reset="truncate")
def test_truncate_with_a_schema_change():
    write("ALTER TABLE node ADD COLUMN later integer")


@pytest.mark.dbguard(reset="clone")
def test_clone():
    add_shop()


@pytest.mark.dbguard(reset="clone")
def test_leaks_pooled_before_a_clone():
    keep(engines.primary.connect()).execute(text(dialect.LOCK))


@pytest.mark.dbguard(fresh=True)
def test_fresh():
    add_shop()


@pytest.mark.dbguard(reset="none")
def test_none():
    with engines.readonly.connect() as connection:
        assert connection.scalar(COUNT) == 1
