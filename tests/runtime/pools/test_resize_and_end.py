"""Pools grow, shrink, stop handing out, and are made anew, with connections out all the while."""

from __future__ import annotations

import gc
import weakref

import pytest

from pytest_dbguard.runtime.errors import ShuttingDown
from tests.runtime.pools.fakes import Caller, balance
from tests.runtime.waiting import eventually


def test_who_waits_is_served_from_what_a_resize_gains(make_pool, database, told):
    pool = make_pool(1)
    held = pool.connect()
    callers = [Caller(pool.connect) for _ in range(3)]
    eventually(lambda: pool.stats.snapshot().waiting == 3)
    pool.resize(2, 1)
    eventually(lambda: len(database.open) == 3)
    assert pool.stats.snapshot().waiting == 1
    assert told.events == [("resized", "size 2, overflow 1")]
    held.close()
    for caller in callers:
        caller.outcome().close()
    assert len(database.open) == 2


def test_a_smaller_pool_closes_idle_ones_now_and_others_as_they_come_back(make_pool, database):
    pool = make_pool(4)
    held = [pool.connect() for _ in range(4)]
    held.pop().close()
    held.pop().close()
    pool.resize(1)
    assert len(database.open) == 2
    held.pop().close()
    assert len(database.open) == 1
    held.pop().close()
    assert len(database.open) == 1
    assert pool.stats.snapshot().closed == {"overflow": 3}


def test_a_smaller_pool_serves_nobody_from_what_is_too_much(make_pool, database):
    pool = make_pool(3)
    held = [pool.connect() for _ in range(3)]
    caller = Caller(pool.connect)
    eventually(lambda: pool.stats.snapshot().waiting == 1)
    pool.resize(1)
    held.pop().close()
    held.pop().close()
    assert pool.stats.snapshot().waiting == 1
    held.pop().close()
    caller.outcome().close()
    assert len(database.open) == 1


def test_the_overflow_stays_when_only_the_size_is_given(make_pool):
    pool = make_pool(2, 3)
    pool.resize(4)
    figures = pool.stats.snapshot()
    assert (figures.size, figures.overflow, pool.size()) == (4, 3, 4)


@pytest.mark.parametrize("limits", [(0, 1), (-1, 1), (1, -2)])
def test_a_size_that_cannot_be_is_refused(make_pool, limits):
    with pytest.raises(ValueError, match="size must be at least 1"):
        make_pool().resize(*limits)


def test_a_pool_that_refuses_hands_out_nothing_and_wakes_who_waits(make_pool, database):
    pool = make_pool(1)
    held = pool.connect()
    caller = Caller(pool.connect)
    eventually(lambda: pool.stats.snapshot().waiting == 1)
    pool.refuse()
    with pytest.raises(ShuttingDown):
        caller.outcome()
    with pytest.raises(ShuttingDown):
        pool.connect()
    held.close()
    assert database.open == set()
    assert pool.stats.snapshot().closed == {"shutdown": 1}
    pool.accept()
    pool.connect().close()


def test_a_refusing_pool_keeps_its_idle_connections_to_itself(make_pool):
    pool = make_pool(1)
    pool.connect().close()
    pool.refuse()
    with pytest.raises(ShuttingDown):
        pool.connect()
    with pytest.raises(ShuttingDown):
        pool.recreate().connect()


def test_closing_for_good(make_pool, database):
    pool = make_pool(2)
    held = pool.connect()
    pool.connect().close()
    pool.close_for_good()
    assert len(database.open) == 1
    held.close()
    assert database.open == set()
    pool.close_for_good()


def test_waiting_until_nothing_is_in_use(make_pool):
    pool = make_pool(2)
    assert pool.wait_until_idle(0)
    held = pool.connect()
    assert not pool.wait_until_idle(0.001)
    caller = Caller(lambda: pool.wait_until_idle(30))
    eventually(lambda: pool.slots._when_unused)
    pool.refuse()
    held.close()
    assert caller.outcome() is True


def test_disposing_closes_what_is_idle_now_and_the_rest_as_it_comes_back(make_pool, database):
    pool = make_pool(2)
    held = pool.connect()
    pool.connect().close()
    pool.dispose()
    new = pool.recreate()
    assert len(database.open) == 1
    held.close()
    assert database.open == set()
    new.connect().close()
    assert len(database.open) == 1
    assert new.stats is pool.stats
    assert balance(new.stats.snapshot()) == 1


def test_a_pool_that_was_replaced_keeps_nothing_that_comes_back(make_pool, database):
    """Nobody would ask it again. What it has idle is not its business: it may be a parent process's."""
    pool = make_pool(2)
    held = pool.connect()
    pool.connect().close()
    pool.recreate()
    held.close()
    assert len(database.open) == 1
    assert pool.stats.snapshot().closed == {"disposed": 1}


def test_figures_count_what_the_old_pool_still_has_out(make_pool):
    pool = make_pool(2)
    held = pool.connect()
    pool.dispose()
    new = pool.recreate()
    other = new.connect()
    assert new.stats.snapshot().in_use == 2
    held.close()
    other.close()
    figures = new.stats.snapshot()
    assert (figures.in_use, figures.idle, figures.connected) == (0, 1, 2)


def test_a_new_pool_has_the_limits_of_the_old_one(make_pool, clock):
    pool = make_pool(2, 1, 7.0, use_lifo=False, max_waiting=3)
    pool.resize(4, 2)
    pool.warm_up(1)
    new = pool.recreate()
    assert (new.size(), new.slots.overflow, new.timeout(), new.policy, new.warm) == (4, 2, 7.0, pool.policy, 1)
    assert new.clock is clock
    assert new._pool.use_lifo is False


def test_figures_do_not_keep_a_pool_alive(make_pool):
    pool = make_pool()
    pool.connect().close()
    stats, weak = pool.stats, weakref.ref(pool)
    del pool
    gc.collect()
    assert weak() is None
    figures = stats.snapshot()
    assert (figures.size, figures.idle, figures.connected) == (0, 0, 1)


def test_the_drivers_connections_that_are_held_can_be_had(make_pool):
    pool = make_pool(3)
    pool.connect().close()
    held = pool.connect()
    assert pool.driver_connections() == (held.dbapi_connection,)
    held.close()
    assert pool.driver_connections() == ()
