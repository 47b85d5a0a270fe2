"""Every PostgreSQL driver is heard: psycopg sync and async, asyncpg; shapes, places and origins are the same."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.ext.asyncio import AsyncAttrs, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import NullPool

import pytest_dbguard
from pytest_dbguard.databases.registry import load_provider


class Base(AsyncAttrs, DeclarativeBase):
    pass


class Parent(Base):
    __tablename__ = "parent"
    id: Mapped[int] = mapped_column(primary_key=True)
    children: Mapped[list[Child]] = relationship()


class Child(Base):
    __tablename__ = "child"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("parent.id"), index=True)


@pytest.fixture(scope="module")
def url():
    database = load_provider("postgres-embedded").start()
    engine = create_engine(database.url)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Parent(children=[Child(), Child()]) for _ in range(3)])
        session.commit()
    engine.dispose()
    yield database.url
    database.close()


def read(session):
    for parent in session.scalars(select(Parent)).all():
        len(parent.children)


async def read_async(url):
    engine = create_async_engine(url, poolclass=NullPool)
    async with AsyncSession(engine) as session:
        for parent in (await session.scalars(select(Parent))).all():
            len(await parent.awaitable_attrs.children)
        rows = await session.stream(select(func.count()).select_from(Child))
        assert [row async for row in rows] == [(6,)]
    await engine.dispose()


@pytest.mark.parametrize("driver", ["psycopg", "psycopg async", "asyncpg"])
def test_driver(url, driver):
    name = "postgresql+asyncpg" if driver == "asyncpg" else "postgresql+psycopg"
    with pytest_dbguard.record(root=Path(__file__).parent) as recording:
        if driver == "psycopg":
            with Session(create_engine(url, poolclass=NullPool)) as session:
                read(session)
        else:
            asyncio.run(read_async(url.set(drivername=name)))
    assert recording.count == (4 if driver == "psycopg" else 5)
    verdict = pytest_dbguard.check(recording)
    (finding,) = verdict.findings
    assert (finding.rule, finding.subject, finding.count) == ("DBG101", "Parent.children", 3)
    assert finding.origin.line == finding.site.line - 1
    assert finding.shape.text.endswith("WHERE ? = child.parent_id")
    assert verdict.faults == ()
