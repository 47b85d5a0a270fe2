"""What is held for too long is told once, with who holds it and what it did; what nobody returns is counted."""

from __future__ import annotations

import gc
import logging
import threading
from contextlib import closing

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from pytest_dbguard.runtime.errors import PoolExhausted
from pytest_dbguard.runtime.pools.policy import PoolPolicy
from pytest_dbguard.runtime.pools.queue_pool import GuardedQueuePool
from tests.runtime.pools.fakes import Caller
from tests.runtime.waiting import WATCHDOG_S


@pytest.fixture
def engine(tmp_path, clock, told):
    made = create_engine(
        f"sqlite:///{tmp_path}/it.db",
        poolclass=GuardedQueuePool,
        pool_size=2,
        max_overflow=0,
        pool_timeout=0.01,
        policy=PoolPolicy(leak_after_s=30),
        clock=clock,
    )
    made.pool.stats.on_event = told
    yield made
    made.dispose()


def take(pool):
    return pool.connect()


def test_a_leak_is_told_once_with_who_holds_it(make_pool, clock, told, caplog):
    pool = make_pool(leak_after_s=30)
    held = take(pool)
    clock.move(29.9)
    assert pool.evict().leaks == 0
    clock.move(0.1)
    with caplog.at_level(logging.WARNING):
        assert pool.evict().leaks == 1
    assert pool.evict().leaks == 0
    ((action, detail),) = told.events
    assert action == "leak"
    assert detail.startswith("held for 30.00 s by this thread (MainThread) at ")
    assert "test_leaks.py" in detail
    assert "in take" in detail
    assert "in test_a_leak_is_told_once" in detail
    assert pool.stats.snapshot().leaks == 1
    assert caplog.text.count("a connection is not given back") == 1
    held.close()


def test_a_leak_that_comes_back_is_told(make_pool, clock, told):
    pool = make_pool(leak_after_s=30)
    held = take(pool)
    clock.move(40)
    pool.evict()
    clock.move(2)
    held.close()
    assert told.actions == ["leak", "returned"]
    assert told.events[1][1].startswith("held for 42.00 s")
    take(pool).close()
    assert told.actions == ["leak", "returned"]


def test_what_comes_back_in_time_is_no_leak(make_pool, clock, told):
    pool = make_pool(leak_after_s=30)
    for _ in range(5):
        held = take(pool)
        clock.move(10)
        held.close()
    assert pool.evict().leaks == 0
    assert told.events == []


def test_leaks_can_be_ignored(make_pool, clock):
    pool = make_pool(1, leak_after_s=0, timeout=0.01)
    held = take(pool)
    clock.move(1e6)
    assert pool.evict().leaks == 0
    with pytest.raises(PoolExhausted, match=r"held for 1000000\.00 s by this thread"):
        pool.connect()
    held.close()


def test_an_exhausted_pool_finds_its_leaks_without_a_keeper(make_pool, clock, told):
    pool = make_pool(1, leak_after_s=30, timeout=0.01)
    held = take(pool)
    clock.move(31)
    with pytest.raises(PoolExhausted):
        pool.connect()
    assert told.actions == ["leak", "exhausted"]
    held.close()


def test_the_latest_statement_is_told_without_its_values(engine, clock, told):
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.execute(text("SELECT 'secret', :value"), {"value": "hidden"})
        clock.move(31)
        engine.pool.evict()
        (holder,) = engine.pool.checked_out()
    assert holder.is_leak
    assert holder.last_statement == "SELECT ?, ?"
    assert told.events[0][1].endswith("; last statement: SELECT ?, ?")
    assert "secret" not in str(told.events)
    assert "hidden" not in str(told.events)


def test_the_latest_statement_is_told_of_what_comes_back_too(engine, clock, told):
    connection = engine.connect()
    connection.execute(text("SELECT 1"))
    clock.move(31)
    engine.pool.evict()
    connection.close()
    connection = engine.connect()
    connection.execute(text("SELECT 2 AS lost"))
    del connection
    gc.collect()
    assert told.actions == ["leak", "returned", "collected"]
    assert told.events[1][1].endswith("; last statement: SELECT ?")
    assert told.events[2][1].endswith("; last statement: SELECT ? AS lost")


def test_the_statement_of_one_holder_is_not_told_of_the_next(engine):
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    with engine.connect():
        (holder,) = engine.pool.checked_out()
    assert holder.last_statement is None


@pytest.mark.parametrize("many", [[{"value": 1}], [{"value": 1}, {"value": 2}]])
def test_statements_of_all_kinds_are_noted(engine, many):
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE it (value int)"))
        connection.execute(text("INSERT INTO it VALUES (:value)"), many)
        (holder,) = engine.pool.checked_out()
        assert holder.last_statement == "INSERT INTO it VALUES (?)"
        connection.exec_driver_sql("SELECT 4")
        assert engine.pool.checked_out()[0].last_statement == "SELECT ?"


def test_the_lines_shown_are_the_applications(engine):
    with Session(engine) as session:
        session.execute(text("SELECT 1"))
        (holder,) = engine.pool.checked_out()
    assert "in test_the_lines_shown_are_the_applications" in holder.stack[0]
    assert not any("sqlalchemy" in line for line in holder.stack)


def test_a_detached_connection_can_still_be_used(engine):
    with engine.connect() as connection:
        connection.detach()
        assert connection.scalar(text("SELECT 1")) == 1


def test_the_thread_that_holds_is_named(make_pool):
    pool = make_pool(3)
    release, taken = threading.Event(), threading.Event()

    def call():
        threading.current_thread().name = "worker of mine"
        with closing(pool.connect()):
            taken.set()
            release.wait()

    caller = Caller(call)
    assert taken.wait(WATCHDOG_S)
    assert [each.owner for each in pool.checked_out()] == ["thread worker of mine"]
    release.set()
    caller.outcome()


def test_a_thread_that_ended_is_told(make_pool):
    pool = make_pool(3)
    held = Caller(pool.connect).outcome()
    assert [each.owner for each in pool.checked_out()] == ["a thread that has ended"]
    held.close()


def test_holders_come_longest_first(make_pool, clock):
    pool = make_pool(3)
    one = pool.connect()
    clock.move(5)
    two = pool.connect()
    clock.move(1)
    assert [each.held_s for each in pool.checked_out()] == [6, 1]
    one.close()
    two.close()


def test_what_the_garbage_collector_returns_is_counted(make_pool, told, caplog):
    pool = make_pool(1)
    pool.connect()  # nobody keeps it
    gc.collect()
    figures = pool.stats.snapshot()
    assert (figures.collected, figures.in_use, figures.idle) == (1, 0, 1)
    assert told.actions == ["collected"]
    assert "returned by the garbage collector" in caplog.text
    pool.connect().close()
    assert pool.stats.snapshot().collected == 1


def test_a_cycle_is_collected_later(make_pool):
    pool = make_pool(1)
    holder = {"connection": pool.connect()}
    holder["self"] = holder
    assert pool.stats.snapshot().in_use == 1
    del holder
    gc.collect()
    assert (pool.stats.snapshot().collected, pool.stats.snapshot().in_use) == (1, 0)
