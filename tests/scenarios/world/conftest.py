"""The scenarios' databases: in-memory SQLite, or the PostgreSQL that SCENARIOS_URL names."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

sys.path.insert(0, str(Path(__file__).parent))

import seed
from shop.models import Base

URL = os.environ.get("SCENARIOS_URL")
# Some scenarios leak connections, whose locks would make TRUNCATE wait for ever.
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""


def new_engine(url: str, **options) -> Engine:
    """Return an engine on empty tables."""
    engine = create_engine(url, **options)
    Base.metadata.create_all(engine)
    if engine.dialect.name == "postgresql":
        names = ", ".join(f'"{name}"' for name in Base.metadata.tables)
        with engine.begin() as connection:
            connection.execute(text(END_OTHERS))
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    return engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    """One connection to a database in memory."""
    if URL:
        engine = new_engine(URL)
    else:
        engine = new_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    yield engine
    engine.dispose()


@pytest.fixture
def pooled_engine(tmp_path) -> Iterator[Engine]:
    """A database that threads, tasks and several connections share."""
    engine = new_engine(URL or f"sqlite:///{tmp_path}/shop.db")
    with Session(engine) as session:
        seed.fill(session)
    yield engine
    engine.dispose()


@pytest.fixture
def maker(pooled_engine) -> sessionmaker[Session]:
    return sessionmaker(pooled_engine)


@pytest.fixture
def shop(engine) -> None:
    """Seed the database from a session of its own."""
    with Session(engine) as session:
        seed.fill(session)


@pytest.fixture
def session(engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@pytest.fixture
async def async_maker(pooled_engine, tmp_path) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = create_async_engine(URL or f"sqlite+aiosqlite:///{tmp_path}/shop.db")
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


@pytest.fixture
async def async_session(async_maker) -> AsyncIterator[AsyncSession]:
    async with async_maker() as session:
        yield session
