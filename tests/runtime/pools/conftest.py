"""Pools on a database of no use, with a clock to move."""

from __future__ import annotations

import pytest

from pytest_dbguard.runtime.pools.policy import PoolPolicy
from pytest_dbguard.runtime.pools.queue_pool import GuardedQueuePool
from tests.runtime.pools.fakes import WATCHDOG_S, FakeClock, FakeDatabase, Told


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def database():
    return FakeDatabase()


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def make_pool(clock, database, told):
    """Return a function that makes a pool: `make_pool(size, overflow, timeout, max_waiting=3)`."""

    def make(size=2, overflow=0, timeout=WATCHDOG_S, *, chance=lambda: 0.0, stats=None, use_lifo=True, **policy):
        pool = GuardedQueuePool(
            database.connect,
            size,
            overflow,
            timeout,
            use_lifo,
            policy=PoolPolicy(**policy),
            stats=stats,
            clock=clock,
            chance=chance,
        )
        pool.stats.on_event = told
        return pool

    return make
