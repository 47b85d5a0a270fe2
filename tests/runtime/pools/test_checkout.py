"""Connections go out and come back; limits hold; who waits is served in order, shed, or told who holds them."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pytest_dbguard.runtime.errors import PoolExhausted, PoolSaturated
from tests.runtime.pools.fakes import Caller, balance
from tests.runtime.waiting import eventually


def waiting(pool):
    return pool.stats.snapshot().waiting


def test_a_connection_is_used_again(make_pool, database):
    pool = make_pool()
    for _ in range(3):
        pool.connect().close()
    assert database.opened == 1
    figures = pool.stats.snapshot()
    assert (figures.in_use, figures.idle, figures.connected) == (0, 1, 1)
    assert figures.wait.count == figures.use.count == 3


def test_the_latest_returned_is_handed_out_first(make_pool):
    pool = make_pool(3)
    one, two = pool.connect(), pool.connect()
    latest = two.dbapi_connection
    one.close()
    two.close()
    assert pool.connect().dbapi_connection is latest


def test_the_oldest_is_handed_out_first_when_that_is_wanted(make_pool):
    pool = make_pool(3, use_lifo=False)
    one, two = pool.connect(), pool.connect()
    first = one.dbapi_connection
    one.close()
    two.close()
    assert pool.connect().dbapi_connection is first


def test_what_is_beyond_the_size_is_closed_when_it_comes_back(make_pool, database):
    pool = make_pool(1, 2)
    held = [pool.connect() for _ in range(3)]
    for each in held:
        each.close()
    assert len(database.open) == 1
    assert pool.stats.snapshot().closed == {"overflow": 2}


def test_the_numbers_of_sqlalchemy_are_right(make_pool):
    pool = make_pool(2, 1)
    assert (pool.size(), pool.checkedin(), pool.checkedout(), pool.overflow()) == (2, 0, 0, -2)
    held = [pool.connect() for _ in range(3)]
    assert (pool.size(), pool.checkedin(), pool.checkedout(), pool.overflow()) == (2, 0, 3, 1)
    held.pop().close()
    assert (pool.checkedin(), pool.checkedout(), pool.overflow()) == (1, 2, 1)
    assert pool.status() == (
        "Pool size: 2  Connections in pool: 1 Current Overflow: 1 Current Checked out connections: 2"
    )


def test_a_pool_without_a_limit(make_pool, database):
    pool = make_pool(0)
    held = [pool.connect() for _ in range(40)]
    for each in held:
        each.close()
    assert len(database.open) == 40


def test_an_overflow_without_a_limit(make_pool, database):
    pool = make_pool(1, -1)
    held = [pool.connect() for _ in range(40)]
    for each in held:
        each.close()
    assert len(database.open) == 1


def test_an_exhausted_pool_names_who_holds_its_connections(make_pool, told):
    pool = make_pool(1, timeout=0.01)
    held = pool.connect()
    with pytest.raises(PoolExhausted) as caught:
        pool.connect()
    text = str(caught.value)
    assert "no connection became free within 0.01 s: 1 of 1 + 0 are in use" in text
    assert "test_checkout.py" in text
    assert "in test_an_exhausted_pool_names_who_holds_its_connections" in text
    assert "this thread (MainThread)" in text
    assert isinstance(caught.value, PoolTimeoutError)
    assert pool.stats.snapshot().timeouts == 1
    assert told.actions == ["exhausted"]
    held.close()
    pool.connect().close()
    assert waiting(pool) == 0


def test_who_waits_gets_what_comes_back(make_pool, database):
    pool = make_pool(1)
    held = pool.connect()
    caller = Caller(pool.connect)
    eventually(lambda: waiting(pool) == 1)
    held.close()
    caller.outcome().close()
    assert database.opened == 1
    assert pool.stats.snapshot().wait.count == 2


def test_who_waits_is_served_in_order_ahead_of_newcomers(make_pool):
    pool = make_pool(1)
    held = pool.connect()
    order, callers = [], []

    def call(number):
        connection = pool.connect()
        order.append(number)
        connection.close()

    for number in range(8):
        callers.append(Caller(lambda number=number: call(number)))
        eventually(lambda number=number: waiting(pool) == number + 1)
    held.close()
    pool.connect().close()
    for caller in callers:
        caller.outcome()
    assert order == list(range(8))


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_more_than_may_wait_are_refused_at_once(make_pool, told, limit):
    pool = make_pool(1, max_waiting=limit)
    held = pool.connect()
    callers = []
    for number in range(limit):
        callers.append(Caller(pool.connect))
        eventually(lambda number=number: waiting(pool) == number + 1)
    with pytest.raises(PoolSaturated, match=f"refused at once, since {limit} others wait"):
        pool.connect()
    assert pool.stats.snapshot().shed == 1
    assert told.actions == ["saturated"]
    held.close()
    for caller in callers:
        caller.outcome().close()


def test_exactly_as_many_wait_as_may_when_all_come_together(make_pool):
    """32 callers at once on one connection with room for 5 to wait: 26 are refused, whoever is first."""
    pool = make_pool(1, max_waiting=5)
    gate, go_on = threading.Barrier(32), threading.Event()

    def call():
        gate.wait()
        connection = pool.connect()
        go_on.wait()
        connection.close()

    callers = [Caller(call) for _ in range(32)]
    eventually(lambda: pool.stats.snapshot().shed + waiting(pool) == 31)
    assert (pool.stats.snapshot().shed, waiting(pool)) == (26, 5)
    go_on.set()
    refused = 0
    for caller in callers:
        try:
            caller.outcome()
        except PoolSaturated:
            refused += 1
    assert refused == pool.stats.snapshot().shed == 26
    assert pool.stats.snapshot().in_use == 0


def test_a_failed_attempt_frees_its_place(make_pool, database):
    pool = make_pool(1)
    database.error = OSError("no route")
    for _ in range(3):
        with pytest.raises(OSError, match="no route"):
            pool.connect()
    database.error = None
    pool.connect().close()
    figures = pool.stats.snapshot()
    assert (figures.failed, figures.connected, figures.in_use) == (3, 1, 0)


def test_who_waits_may_try_when_an_attempt_fails(make_pool, database):
    """SQLAlchemy's own pool lets it wait until the timeout."""
    pool = make_pool(1)
    go_on = threading.Event()
    database.before_connect = go_on.wait
    database.error = OSError("no route")
    first = Caller(pool.connect)
    eventually(lambda: pool.stats.snapshot().in_use == 1)
    second = Caller(pool.connect)
    eventually(lambda: waiting(pool) == 1)
    go_on.set()
    for caller in (first, second):
        with pytest.raises(OSError, match="no route"):
            caller.outcome()
    assert pool.stats.snapshot().failed == 2


def test_who_waits_may_open_one_when_a_broken_one_comes_back(make_pool, database):
    pool = make_pool(1)
    held = pool.connect()
    caller = Caller(pool.connect)
    eventually(lambda: waiting(pool) == 1)
    held.invalidate()
    caller.outcome().close()
    assert database.opened == 2
    assert len(database.open) == 1


def test_a_connection_that_is_taken_out_of_the_pool_frees_its_place(make_pool, database):
    pool = make_pool(1)
    held = pool.connect()
    held.detach()
    pool.connect().close()
    held.close()
    figures = pool.stats.snapshot()
    assert figures.closed == {"detached": 1}
    assert balance(figures) == len(database.open) == 1


def test_an_interrupted_wait_gives_back_what_it_was_just_given(make_pool, monkeypatch):
    """As by Control-C at the very moment at which a connection is handed over."""
    pool = make_pool(1)
    held = pool.connect()

    class Interrupted(type(pool._new_waiter())):
        def wait(self, timeout_s):
            held.close()
            raise KeyboardInterrupt

    monkeypatch.setattr(pool, "_new_waiter", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.connect()
    monkeypatch.undo()
    assert pool.stats.snapshot().in_use == 0
    pool.connect().close()


def test_an_interrupted_wait_leaves_the_queue(make_pool, monkeypatch):
    pool = make_pool(1)
    held = pool.connect()

    class Interrupted(type(pool._new_waiter())):
        def wait(self, timeout_s):
            raise KeyboardInterrupt

    monkeypatch.setattr(pool, "_new_waiter", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.connect()
    assert waiting(pool) == 0
    held.close()
    pool.connect().close()
