"""Clients of both kinds on a manager of their own, a clock to move, and a table to write to."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

import pytest

from tests.runtime.faults.clients import AsyncClient, AsyncpgClient, SyncClient, plain
from tests.runtime.faults.server import RestartableServer


class MovedClock:
    """The machine's clock, moved by as much as a test says."""

    def __init__(self):
        self.ahead_s = self.wall_ahead_s = 0.0

    def monotonic(self):
        return time.monotonic() + self.ahead_s

    def wall(self):
        return time.time() + self.wall_ahead_s

    def sleep(self, seconds):
        time.sleep(seconds)


@dataclass
class Notes:
    """A table on the primary, and what is in it."""

    server: RestartableServer

    insert = "INSERT INTO fault_notes (note) VALUES ('one')"

    def count(self):
        return self.server.scalar("SELECT count(*) FROM fault_notes")


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
def notes(postgres):
    """An empty table."""
    postgres.execute("CREATE TABLE IF NOT EXISTS fault_notes (id serial PRIMARY KEY, note text)")
    postgres.execute("TRUNCATE fault_notes")
    return Notes(postgres)


@contextlib.asynccontextmanager
async def clients(kind, server):
    """Give a function that makes a client of a new manager; pool and timeouts are small unless they are given."""
    from pytest_dbguard.runtime.manager import DatabaseManager
    from pytest_dbguard.runtime.settings import DatabaseSettings

    made = []

    def start(url=None, *, clock=None, pool=(), timeouts=(), roles=None, **settings):
        roles = {name: {**role, "url": plain(role["url"], kind.scheme)} for name, role in (roles or {}).items()}
        if "primary" not in roles:
            settings["url"] = plain(url or server.url, kind.scheme)
        settings["pool"] = {"size": 2, "overflow": 0, "timeout_s": 5.0, "check_after_idle_s": 0.0, **dict(pool)}
        settings["timeouts"] = {"connect_s": 2.0, "shutdown_s": 0.0, **dict(timeouts)}
        settings.setdefault("logging", {"statements": False})
        configured = DatabaseSettings(profile="development", roles=roles, **settings)
        manager = DatabaseManager(configured) if clock is None else DatabaseManager(configured, clock=clock)
        made.append(kind(manager))
        return made[-1]

    try:
        yield start
    finally:
        for each in made:
            await each.stop(0.0)


@pytest.fixture(params=[SyncClient, AsyncClient, AsyncpgClient], ids=["sync", "async", "asyncpg"])
async def client(request, postgres):
    """Return a function that makes clients, of synchronous engines and of asynchronous ones by two drivers."""
    async with clients(request.param, postgres) as start:
        yield start


@pytest.fixture
async def sync_client(postgres):
    """Return a function that makes clients of synchronous engines."""
    async with clients(SyncClient, postgres) as start:
        yield start


@pytest.fixture(params=[AsyncClient, AsyncpgClient], ids=["psycopg", "asyncpg"])
async def async_client(request, postgres):
    """Return a function that makes clients of asynchronous engines."""
    async with clients(request.param, postgres) as start:
        yield start
