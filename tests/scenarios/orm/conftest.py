"""A database and sessions for each scenario; what is seeded is seeded by a session that is closed again."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from factories import Factories
from seed import fill
from shop.models import Base
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

URL = os.environ.get("SCENARIOS_URL")
# each worker of pytest-xdist has a schema of its own on the server
SCHEMA = os.environ.get("PYTEST_XDIST_WORKER", "public")


def _obey_foreign_keys(connection, record) -> None:
    connection.execute("PRAGMA foreign_keys=ON")


def _empty(engine: Engine) -> None:
    names = ", ".join(f'"{name}"' for name in Base.metadata.tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture(scope="session")
def server() -> Iterator[Engine | None]:
    """The PostgreSQL that SCENARIOS_URL names, with the shop's tables."""
    if URL is None:
        yield None
        return
    engine = create_engine(URL, connect_args={"options": f"-csearch_path={SCHEMA}"})
    with engine.begin() as connection:
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{SCHEMA}"'))
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(server: Engine | None) -> Iterator[Engine]:
    """An engine on a database with empty tables."""
    if server is not None:
        _empty(server)
        yield server
        return
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _obey_foreign_keys)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def shop(engine: Engine) -> None:
    """The shop's data."""
    with Session(engine) as session:
        fill(session)


@pytest.fixture
def session(engine: Engine, shop: None) -> Iterator[Session]:
    """A session that has seen nothing of the data yet."""
    with Session(engine) as session:
        yield session


@pytest.fixture
def sessions(engine: Engine, shop: None) -> sessionmaker[Session]:
    """What an application makes its sessions with."""
    return sessionmaker(engine)


@pytest.fixture
def shared(engine: Engine) -> Iterator[Session]:
    """A session that factories, fixtures and the application share; the tables are empty."""
    with Session(engine) as session:
        yield session


@pytest.fixture
def make(shared: Session) -> Factories:
    """The factories, on the shared session."""
    return Factories(shared)


@pytest.fixture
async def async_engine(server: Engine | None, tmp_path) -> AsyncIterator[AsyncEngine]:
    """An engine for asyncio on a database with the shop's data, which several connections can share."""
    if server is None:
        sync_engine = create_engine(f"sqlite:///{tmp_path}/shop.db")
        Base.metadata.create_all(sync_engine)
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/shop.db")
    else:
        sync_engine = server
        _empty(server)
        engine = create_async_engine(URL, connect_args={"options": f"-csearch_path={SCHEMA}"})
    with Session(sync_engine) as session:
        fill(session)
    if server is None:
        sync_engine.dispose()
    yield engine
    await engine.dispose()


@pytest.fixture
async def async_session(async_engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """A session for asyncio that has seen nothing of the data yet."""
    async with AsyncSession(async_engine, expire_on_commit=False) as session:
        yield session
