"""The fixtures `dbguard_*` of the database, as pytest sees them; imports nothing else until one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker
    from sqlalchemy.orm import Session, sessionmaker

    from pytest_dbguard.databases.base import Database
    from pytest_dbguard.testing.fixtures import Bind, OpenDatabase

__all__ = [
    "dbguard_async_connection",
    "dbguard_async_engine",
    "dbguard_async_session",
    "dbguard_async_sessionmaker",
    "dbguard_bind",
    "dbguard_connection",
    "dbguard_database",
    "dbguard_engine",
    "dbguard_metadata",
    "dbguard_migrate",
    "dbguard_open",
    "dbguard_seed",
    "dbguard_session",
    "dbguard_sessionmaker",
]


@pytest.fixture(scope="session")
def dbguard_metadata() -> Any:
    """Return the tables to create: override it with a MetaData, a declarative base, or a list of them."""
    return None


@pytest.fixture(scope="session")
def dbguard_migrate() -> Any:
    """Return what makes the tables instead: an alembic.ini or Config, SQL files, or a function of an engine."""
    return None


@pytest.fixture(scope="session")
def dbguard_seed() -> Callable[[Session], object] | None:
    """Return a function that adds data all tests start from: override it; the session is committed for you."""
    return None


@pytest.fixture(scope="session")
def dbguard_open(request: pytest.FixtureRequest) -> OpenDatabase:
    """Return what opens further databases: `dbguard_open("reports", metadata=Reports.metadata).engine`.

    Each is cleaned after each test like the main one, and opened once, under its name.
    """
    from pytest_dbguard.testing import fixtures

    return fixtures.OpenDatabase(request.config)


@pytest.fixture(scope="session")
def dbguard_database(
    request: pytest.FixtureRequest, dbguard_metadata: Any, dbguard_migrate: Any, dbguard_seed: Any
) -> Database:
    """Return the database of this process; its `url` and `async_url` lead there (see --dbguard-database)."""
    from pytest_dbguard.testing import failures, fixtures

    with failures.without_traceback():
        return fixtures.main_database(request.config, dbguard_metadata, dbguard_migrate, dbguard_seed)


@pytest.fixture(scope="session")
def dbguard_bind(request: pytest.FixtureRequest, dbguard_database: Database) -> Bind:
    """Return what leads an engine of the application to the database: `dbguard_bind(engine, role="readonly")`."""
    from pytest_dbguard.testing import fixtures

    return fixtures.Bind(request.config)


@pytest.fixture(scope="session")
def dbguard_engine(request: pytest.FixtureRequest, dbguard_database: Database) -> Engine:
    """Return an engine on the database, which has its tables and seed data."""
    from pytest_dbguard.testing import fixtures

    return fixtures.main(request.config).engine


@pytest.fixture(scope="session")
def dbguard_sessionmaker(dbguard_engine: Engine) -> sessionmaker[Session]:
    """Return what makes sessions, for fixtures of any scope and for several sessions in one test."""
    from sqlalchemy.orm import sessionmaker

    return sessionmaker(dbguard_engine)


@pytest.fixture
def dbguard_connection(dbguard_engine: Engine) -> Iterator[Connection]:
    """Return a connection; all that it commits is gone after the test."""
    with dbguard_engine.connect() as connection:
        yield connection


@pytest.fixture
def dbguard_session(dbguard_sessionmaker: sessionmaker[Session]) -> Iterator[Session]:
    """Return a session; all that it commits is gone after the test."""
    with dbguard_sessionmaker() as session:
        yield session


@pytest.fixture(scope="session")
def dbguard_async_engine(request: pytest.FixtureRequest, dbguard_database: Database) -> AsyncEngine:
    """Return an asynchronous engine on the same database, for any event loop."""
    from pytest_dbguard.testing import failures, fixtures

    with failures.without_traceback():
        return fixtures.main(request.config).async_engine


@pytest.fixture(scope="session")
def dbguard_async_sessionmaker(dbguard_async_engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Return what makes asynchronous sessions; attributes stay readable after a commit."""
    from sqlalchemy.ext.asyncio import async_sessionmaker

    return async_sessionmaker(dbguard_async_engine, expire_on_commit=False)


@pytest.fixture
def dbguard_async_connection(dbguard_async_engine: AsyncEngine) -> Iterator[AsyncConnection]:
    """Return an asynchronous connection, open already; all that it commits is gone after the test."""
    from pytest_dbguard.testing import async_fixtures

    yield from async_fixtures.connection(dbguard_async_engine)


@pytest.fixture
def dbguard_async_session(dbguard_async_sessionmaker: async_sessionmaker[AsyncSession]) -> Iterator[AsyncSession]:
    """Return an asynchronous session; all that it commits is gone after the test."""
    from pytest_dbguard.testing import async_fixtures

    yield from async_fixtures.session(dbguard_async_sessionmaker)
