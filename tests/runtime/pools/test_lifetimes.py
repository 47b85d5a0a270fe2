"""Connections end by age, idleness and invalidation, as a monotonic clock tells them; the wall clock may jump."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from tests.runtime.pools.fakes import balance


def connection_of(pool):
    with closing(pool.connect()) as proxy:
        return proxy.dbapi_connection


def test_a_connection_that_is_too_old_is_not_handed_out(make_pool, clock, database):
    pool = make_pool(max_lifetime_s=100, check_after_idle_s=1000)
    first = connection_of(pool)
    clock.move(99)
    assert connection_of(pool) is first
    clock.move(1)
    assert connection_of(pool) is not first
    assert not first.is_open
    assert pool.stats.snapshot().closed == {"lifetime": 1}


def test_a_connection_that_grew_too_old_in_use_ends_when_it_comes_back(make_pool, clock, database):
    pool = make_pool(max_lifetime_s=100)
    held = pool.connect()
    clock.move(100)
    held.close()
    assert database.open == set()
    assert pool.stats.snapshot().closed == {"lifetime": 1}


def test_lifetimes_differ_by_chance(make_pool, clock, database):
    chances = iter([0.0, 1.0, 0.5])
    pool = make_pool(3, chance=lambda: next(chances), max_lifetime_s=100, lifetime_jitter=0.5, max_idle_s=0)
    held = [pool.connect() for _ in range(3)]
    longest, shortest, middle = (each.dbapi_connection for each in held)
    for each in held:
        each.close()
    for after_s, ended in ((50, {shortest}), (25, {shortest, middle}), (25, {shortest, middle, longest})):
        clock.move(after_s)
        pool.evict()
        assert {each for each in (longest, shortest, middle) if not each.is_open} == ended


def test_the_recycle_of_sqlalchemy_shortens_the_lifetime(clock, database):
    from pytest_dbguard.runtime.pools.queue_pool import GuardedQueuePool

    pool = GuardedQueuePool(database.connect, clock=clock, recycle=10, chance=lambda: 0.0)
    first = connection_of(pool)
    clock.move(10)
    assert connection_of(pool) is not first


def test_a_lifetime_of_zero_has_no_end(make_pool, clock):
    pool = make_pool(max_lifetime_s=0, max_idle_s=0, check_after_idle_s=0)
    first = connection_of(pool)
    clock.move(1e9)
    pool.evict()
    assert connection_of(pool) is first


def test_what_is_idle_for_long_is_closed(make_pool, clock, database):
    pool = make_pool(3, max_idle_s=60)
    held = [pool.connect() for _ in range(3)]
    for each in held:
        each.close()
    clock.move(59)
    latest = connection_of(pool)
    clock.move(1)
    assert pool.evict().closed == 2
    assert database.open == {latest}
    assert pool.stats.snapshot().closed == {"idle": 2}


def test_as_many_as_were_warmed_up_stay_and_are_opened_again(make_pool, clock, database):
    pool = make_pool(4, max_idle_s=60, max_lifetime_s=100)
    assert pool.warm_up(2) == 2
    held = [pool.connect() for _ in range(4)]
    for each in held:
        each.close()
    clock.move(60)
    assert (pool.evict().closed, len(database.open)) == (2, 2)
    clock.move(40)
    done = pool.evict()
    assert (done.closed, done.opened, len(database.open)) == (2, 2, 2)
    figures = pool.stats.snapshot()
    assert (figures.in_use, figures.idle) == (0, 2)
    assert balance(figures) == 2


def test_no_more_are_warmed_up_than_the_size(make_pool, database):
    pool = make_pool(2, 5)
    assert pool.warm_up(10) == 2
    assert len(database.open) == 2


def test_a_warm_up_that_fails_raises_and_loses_no_place(make_pool, database):
    pool = make_pool(2)
    database.error = OSError("no route")
    with pytest.raises(OSError, match="no route"):
        pool.warm_up(2)
    assert pool.evict().opened == 0
    database.error = None
    assert pool.evict().opened == 2
    assert pool.stats.snapshot().in_use == 0


def test_invalidating_one_connection_replaces_all_that_are_as_old(make_pool, database, told):
    pool = make_pool(3)
    held = [pool.connect() for _ in range(3)]
    for each in held[1:]:
        each.close()
    pool._invalidate(held[0], OSError("broken"))
    assert told.events == [("replaced", "after OSError")]
    old = [connection_of(pool) for _ in range(3)]
    assert all(each.is_open for each in old)
    figures = pool.stats.snapshot()
    assert balance(figures) == len(database.open)
    assert figures.closed["invalidated"] == 1


def test_what_was_opened_since_is_not_replaced_again(make_pool, told):
    """Many threads find the same outage: the first has everything replaced, the others only their own."""
    pool = make_pool(3)
    one, two = pool.connect(), pool.connect()
    pool._invalidate(one, OSError("broken"))
    fresh = pool.connect()
    kept = fresh.dbapi_connection
    fresh.close()
    pool._invalidate(two, OSError("broken"))
    assert connection_of(pool) is kept
    assert told.actions == ["replaced"]


def test_a_soft_invalidation_replaces_one_later(make_pool):
    pool = make_pool(1)
    held = pool.connect()
    first = held.dbapi_connection
    held.invalidate(soft=True)
    assert first.is_open
    held.close()
    assert connection_of(pool) is not first
    assert not first.is_open


@pytest.mark.parametrize("jump_s", [-1e8, 1e8])
def test_a_jump_of_the_wall_clock_changes_nothing(make_pool, monkeypatch, jump_s):
    pool = make_pool(2, max_lifetime_s=100)
    first = connection_of(pool)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump_s)
    assert connection_of(pool) is first


@pytest.mark.parametrize("jump_s", [-1e8, 1e8])
def test_what_was_invalidated_stays_so_after_a_jump(make_pool, monkeypatch, jump_s):
    """With SQLAlchemy's own pool a clock set back brings broken connections back to life."""
    pool = make_pool(2)
    first, held = pool.connect(), pool.connect()
    old = first.dbapi_connection
    first.close()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump_s)
    pool._invalidate(held, OSError("broken"))
    assert connection_of(pool) is not old


@pytest.mark.parametrize("jump_s", [-1e8, 1e8])
def test_a_jump_does_not_change_how_long_a_caller_waits(make_pool, monkeypatch, jump_s):
    """SQLAlchemy's own queue waits until a wall clock time: for years, or not at all."""
    from tests.runtime.pools.fakes import Caller
    from tests.runtime.waiting import eventually

    pool = make_pool(1)
    held = pool.connect()
    caller = Caller(pool.connect)
    eventually(lambda: pool.stats.snapshot().waiting == 1)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump_s)
    held.close()
    caller.outcome().close()


def test_drain_replaces_idle_ones_now_and_others_as_they_come_back(make_pool, database, told):
    pool = make_pool(3)
    held, idle = pool.connect(), pool.connect()
    old = {held.dbapi_connection, idle.dbapi_connection}
    idle.close()
    pool.drain()
    assert len(database.open) == 1
    held.close()
    assert database.open == set()
    assert told.actions == ["drained"]
    assert connection_of(pool) not in old
    assert pool.stats.snapshot().closed == {"replaced": 2}


def test_replace_all_says_why(make_pool, told):
    pool = make_pool()
    pool.connect().close()
    pool.replace_all("failover")
    assert told.events == [("replaced", "failover")]
    assert pool.stats.snapshot().idle == 0


def test_a_connection_being_opened_while_all_are_replaced_is_replaced_too(make_pool, database):
    """It may have been opened with the old password."""
    pool = make_pool(1)
    database.before_connect = pool.drain
    held = pool.connect()
    first = held.dbapi_connection
    database.before_connect = None
    held.close()
    assert not first.is_open
