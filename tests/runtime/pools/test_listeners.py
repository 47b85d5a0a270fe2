"""Whatever an application's listeners raise, no connection is lost, nor its place."""

from __future__ import annotations

import gc

import pytest
from sqlalchemy import event

from pytest_dbguard.runtime.errors import PoolExhausted
from pytest_dbguard.runtime.pools.record import GuardedRecord
from tests.runtime.pools.fakes import balance


def refuse(*_):
    raise RuntimeError("not now")


@pytest.fixture
def pool(make_pool):
    return make_pool(1)


def is_whole(pool, database):
    gc.collect()
    figures = pool.stats.snapshot()
    return figures.in_use == 0 and balance(figures) == figures.idle == len(database.open)


@pytest.mark.parametrize("name", ["connect", "first_connect", "checkout"])
def test_one_that_refuses_a_connection(pool, database, name):
    event.listen(pool, name, refuse)
    with pytest.raises(RuntimeError, match="not now"):
        pool.connect()
    assert is_whole(pool, database)
    event.remove(pool, name, refuse)
    pool.connect().close()
    assert is_whole(pool, database)


def test_one_that_fails_as_a_connection_comes_back(pool, database):
    """With SQLAlchemy's own pool its place is gone for ever."""
    event.listen(pool, "checkin", refuse)
    held = pool.connect()
    with pytest.raises(RuntimeError, match="not now"):
        held.close()
    assert is_whole(pool, database)
    assert pool.stats.snapshot().closed == {"invalidated": 1}, "nobody knows what state it is in"
    event.remove(pool, "checkin", refuse)
    pool.connect().close()


def test_one_that_fails_both_ways(pool, database):
    for name in ("checkout", "checkin"):
        event.listen(pool, name, refuse)
    with pytest.raises(RuntimeError, match="not now"):
        pool.connect()
    assert is_whole(pool, database)


@pytest.mark.parametrize("name", ["reset", "invalidate", "close"])
def test_one_that_fails_as_a_connection_ends(pool, database, name):
    event.listen(pool, name, refuse)
    held = pool.connect()
    try:
        if name == "reset":
            held.close()
        elif name == "invalidate":
            held.invalidate()
        else:
            pool.drain()
            held.close()
    except RuntimeError as error:
        assert str(error) == "not now"
    del held
    event.remove(pool, name, refuse)
    assert is_whole(pool, database)
    pool.connect().close()
    assert is_whole(pool, database)


def test_one_of_the_figures_that_raises_disturbs_nobody(make_pool, caplog):
    pool = make_pool(1, timeout=0.0)
    pool.stats.on_event = refuse
    held = pool.connect()
    with pytest.raises(PoolExhausted):
        pool.connect()
    held.close()
    assert "a listener for a pool's events raised RuntimeError" in caplog.text


def test_the_garbage_collector_may_return_one_while_the_pool_is_looked_over(make_pool, database, monkeypatch):
    """It runs in whichever thread allocates: here in the middle of a pass over the idle connections."""
    pool = make_pool(4)
    held = [pool.connect() for _ in range(4)]
    cycle = {"connection": held.pop()}
    cycle["self"] = cycle
    del cycle
    held.pop().close()
    held.pop().close()
    why_not = GuardedRecord.why_not

    def collecting(record, now):
        gc.collect()
        return why_not(record, now)

    monkeypatch.setattr(GuardedRecord, "why_not", collecting)
    pool.evict()
    assert pool.stats.snapshot().collected == 1
    held.pop().close()
    assert is_whole(pool, database)
