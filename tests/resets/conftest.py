"""A database of each kind, the ledger of its connections, a router of engines, and a cleaner that finds nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from itertools import count

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.engines import make_async_engine, make_engine
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.resets.base import Outcome
from pytest_dbguard.resets.connections import Connections
from pytest_dbguard.resets.rollback import Rollback
from pytest_dbguard.resets.routing import EngineRouter

numbers = count(1)


@dataclass
class Database:
    """What the resets need of a database."""

    kind: str
    url: URL
    async_url: URL
    version: str = ""

    def close(self):
        pass

    def rows(self):
        """Count the rows as somebody else sees them, who waits for no lock."""
        engine = make_engine(self, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text("UPDATE item SET id = id"))
            return connection.scalar(text("SELECT count(*) FROM item"))


@dataclass
class Cleaner:
    """Finds nothing, and remembers that it looked."""

    outcome: Outcome = field(default_factory=Outcome)
    cleaned: int = 0

    def clean(self):
        self.cleaned += 1
        return self.outcome


@pytest.fixture(scope="session")
def postgres():
    """An embedded server with one database that the tests share."""
    server = load_provider("postgres-embedded").launch(StartOptions()).ready()
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE dbguard_tests"))
    engine.dispose()
    url = server.url.set(database="dbguard_tests")
    yield Database("postgres-embedded", url, url)
    server.close()


@pytest.fixture
def sqlite():
    """An empty database in memory."""
    url = URL.create("sqlite", database=f"file:/dbguard-tests-{next(numbers)}", query={"vfs": "memdb", "uri": "true"})
    keeper = sqlite3.connect(f"{url.database}?vfs=memdb", uri=True, check_same_thread=False)
    yield Database("sqlite", url, url.set(drivername="sqlite+aiosqlite"))
    keeper.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    """A database with a table of one row."""
    database = request.getfixturevalue(request.param)
    serial = "SERIAL" if request.param == "postgres" else "INTEGER"
    engine = make_engine(database)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS item"))
        connection.execute(text(f'CREATE TABLE item (id {serial} PRIMARY KEY, "na%me" TEXT UNIQUE)'))
        connection.execute(text("INSERT INTO item (\"na%me\") VALUES ('seed')"))
    engine.dispose()
    return database


@pytest.fixture
def connections(database):
    """The ledger, as while a test runs."""
    connections = Connections(database)
    connections.attach()
    connections.enter("tests/test_it.py::test_it", is_wide=False)
    yield connections
    connections.detach()


@pytest.fixture
def router(database, connections):
    router = EngineRouter(database, connections)
    yield router
    router.unbind_all()


@pytest.fixture
def engine(router, database):
    """An engine on the database."""
    engine = make_engine(database)
    router.bind(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def async_engine(router, database):
    """An asynchronous engine on the database."""
    engine = make_async_engine(database)
    router.bind(engine)
    return engine


@pytest.fixture
def cleaner():
    return Cleaner()


@pytest.fixture
def reset(cleaner, router):
    """The reset "rollback"."""
    reset = Rollback(cleaner, router)
    yield reset
    reset.close()
