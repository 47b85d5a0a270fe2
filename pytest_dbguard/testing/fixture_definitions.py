"""The fixtures `dbguard_*` of the database, as pytest sees them; imports nothing else until one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
    from sqlalchemy.orm import Session

    from pytest_dbguard.databases.base import Database
    from pytest_dbguard.testing.async_fixtures import AsyncIsolation
    from pytest_dbguard.testing.fixtures import Isolation

__all__ = [
    "dbguard_async_connection",
    "dbguard_async_engine",
    "dbguard_async_isolation",
    "dbguard_async_session",
    "dbguard_connection",
    "dbguard_database",
    "dbguard_engine",
    "dbguard_isolation",
    "dbguard_metadata",
    "dbguard_seed",
    "dbguard_session",
]


@pytest.fixture(scope="session")
def dbguard_metadata() -> Any:
    """Return the tables to create: override it with a MetaData, a declarative base, or a list of them."""
    return None


@pytest.fixture(scope="session")
def dbguard_seed() -> Callable[[Session], object] | None:
    """Return a function that adds data all tests start from: override it; the session is committed for you."""
    return None


@pytest.fixture(scope="session")
def dbguard_database(request: pytest.FixtureRequest) -> Database:
    """Return the database of this process; its `url` and `async_url` lead there (see --dbguard-database)."""
    from pytest_dbguard.testing import fixtures

    with fixtures.without_traceback():
        return fixtures.database(request.config)


@pytest.fixture(scope="session")
def dbguard_engine(dbguard_database: Database, dbguard_metadata: Any, dbguard_seed: Any) -> Iterator[Engine]:
    """Return an engine on the database with its tables and seed data. What it commits itself stays."""
    from pytest_dbguard.testing import fixtures

    engines = fixtures.engine(dbguard_database, dbguard_metadata, dbguard_seed)
    with fixtures.without_traceback():
        engine = next(engines)
    yield engine
    engines.close()


@pytest.fixture(scope="session")
def dbguard_isolation(dbguard_engine: Engine, dbguard_database: Database) -> Iterator[Isolation]:
    """Keep the connection that the tests use in turn; not for use in tests."""
    from pytest_dbguard.testing.fixtures import Isolation

    isolation = Isolation(dbguard_database)
    yield isolation
    isolation.close()


@pytest.fixture
def dbguard_connection(dbguard_isolation: Isolation) -> Iterator[Connection]:
    """Return a connection; all it does, commits included, is rolled back after the test."""
    with dbguard_isolation.connection() as connection:
        yield connection


@pytest.fixture
def dbguard_session(dbguard_connection: Connection) -> Iterator[Session]:
    """Return a session on `dbguard_connection`; all it does, commits included, is rolled back after the test."""
    from pytest_dbguard.testing import fixtures

    yield from fixtures.session(dbguard_connection)


@pytest.fixture(scope="session")
def dbguard_async_engine(dbguard_engine: Engine, dbguard_database: Database) -> AsyncEngine:
    """Return an asynchronous engine on the same database, for any event loop. What it commits itself stays."""
    from pytest_dbguard.databases.engines import make_async_engine
    from pytest_dbguard.testing import fixtures

    with fixtures.without_traceback():
        return make_async_engine(dbguard_database)


@pytest.fixture(scope="session")
def dbguard_async_isolation(dbguard_engine: Engine, dbguard_database: Database) -> Iterator[AsyncIsolation]:
    """Keep what opens and rolls back the tests' asynchronous connections; not for use in tests."""
    from pytest_dbguard.testing import fixtures

    with fixtures.without_traceback():
        from pytest_dbguard.testing.async_fixtures import AsyncIsolation

        isolation = AsyncIsolation(dbguard_database)
    yield isolation
    isolation.close()


@pytest.fixture
def dbguard_async_connection(dbguard_async_isolation: AsyncIsolation) -> Iterator[AsyncConnection]:
    """Return an asynchronous connection, open already; rolled back after the test."""
    with dbguard_async_isolation.connection() as connection:
        yield connection


@pytest.fixture
def dbguard_async_session(
    dbguard_async_isolation: AsyncIsolation, dbguard_async_connection: AsyncConnection
) -> Iterator[AsyncSession]:
    """Return an asynchronous session on `dbguard_async_connection`; rolled back after the test."""
    with dbguard_async_isolation.session(dbguard_async_connection) as session:
        yield session
