"""Managers by driver, and a table of accounts to do transactions on."""

from __future__ import annotations

import pytest

from pytest_dbguard.runtime.manager import DatabaseManager
from pytest_dbguard.runtime.manual_clock import ManualClock
from pytest_dbguard.runtime.settings import DatabaseSettings
from pytest_dbguard.runtime.transactions import Backoff
from tests.runtime.faults.clients import AsyncClient, SyncClient, bounded, in_thread

DRIVERS = {
    "psycopg": (SyncClient, "postgresql"),
    "psycopg-async": (AsyncClient, "postgresql"),
    "asyncpg": (AsyncClient, "postgresql+asyncpg"),
}
NO_WAIT = Backoff(chance=lambda: 0.0)
ADD = "UPDATE accounts SET amount = amount + 1 WHERE id = 1"


def address(url, drivername="postgresql"):
    """Return a URL as settings take it, with its password."""
    return url.set(drivername=drivername).render_as_string(hide_password=False)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture(params=DRIVERS)
async def client(request, postgres):
    """Return a function that makes a manager of each driver for PostgreSQL, and what uses it."""
    kind, drivername = DRIVERS[request.param]
    made = []

    def start(url=None, *, clock=None, pool=(), **keywords):
        pool = {"size": 2, "overflow": 2, "timeout_s": 5.0, "check_after_idle_s": 3600.0, **dict(pool)}
        keywords.setdefault("logging", {"statements": False})
        settings = DatabaseSettings(url=address(url or postgres.url, drivername), pool=pool, **keywords)
        made.append(kind(DatabaseManager(settings) if clock is None else DatabaseManager(settings, clock=clock)))
        return made[-1]

    yield start
    for each in made:
        await each.stop(0)


@pytest.fixture
def file_url(tmp_path):
    """The address of a SQLite file."""
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture
def accounts(postgres):
    """A table with two accounts of 10 each, and a function that tells what is on them."""
    postgres.execute("DROP TABLE IF EXISTS accounts")
    postgres.execute("CREATE TABLE accounts (id int PRIMARY KEY, amount int CHECK (amount >= 0))")
    postgres.execute("INSERT INTO accounts VALUES (1, 10), (2, 10)")
    return lambda: [postgres.scalar(f"SELECT amount FROM accounts WHERE id = {number}") for number in (1, 2)]


class Runs:
    """Runs synchronous work by either way: the asynchronous one gets what its session does for it."""

    def __init__(self, client):
        self.manager, self.is_async = client.manager, isinstance(client, AsyncClient)

    async def __call__(self, work, **options):
        options = {"backoff": NO_WAIT, **options}
        if self.is_async:
            return await bounded(self.manager.run_async(lambda session: session.run_sync(work), **options))
        return await bounded(in_thread(lambda: self.manager.run(work, **options)))


@pytest.fixture
def run(client):
    return Runs(client(pool={"size": 2, "overflow": 4}))
