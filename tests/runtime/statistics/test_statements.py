"""What is heard of statements and what is told: attaching, events, what is not counted."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from pytest_dbguard.runtime.events import Events
from pytest_dbguard.runtime.statistics import OWN, StatementStatistics
from tests.runtime.statistics.statements import run


def test_transactions_savepoints_and_own_statements_are_not_counted(engine, statistics):
    told = []
    statistics._events.subscribe("query", told.append)
    with engine.begin() as connection, connection.begin_nested():
        connection.execute(text(f"SELECT 1 {OWN}"))
        connection.execute(text(f"SELECT 1 {OWN}"))
    assert (statistics.shapes(), told) == ((), [])
    assert statistics.roles()["primary"].calls == 0


def test_slow_statements_are_counted_and_told_only_above_the_limit(engine):
    events, told = Events(), {"query": [], "slow_query": []}
    for kind, heard in told.items():
        events.subscribe(kind, heard.append)
    slow, fast = (StatementStatistics(events, slow_ms=limit) for limit in (0.0, 1e6))
    slow.attach(engine, "readonly-1", "readonly")
    run(engine, text("SELECT 'value'"))
    assert slow.shapes()[0].slow == 1
    (event_,) = told["slow_query"]
    assert (event_.role, event_.target, event_.sql) == ("readonly", "readonly-1", "SELECT ?")
    assert told["query"] == [event_]
    slow.detach(engine)
    fast.attach(engine, "readonly-1", "readonly")
    run(engine, text("SELECT 'value'"))
    assert fast.shapes()[0].slow == 0
    assert (len(told["query"]), len(told["slow_query"])) == (2, 1)


def test_a_listener_that_raises_reaches_nobody(engine, statistics, events):
    def listener(event):
        raise RuntimeError

    events.subscribe("query", listener)
    run(engine, text("SELECT 1"))
    assert events.faults == 1
    assert statistics.roles()["primary"].calls == 1


def test_attaching_twice_counts_once_and_detaching_ends_it(engine, statistics):
    statistics.attach(engine, "primary", "primary")
    run(engine, text("SELECT 1"))
    statistics.detach(engine)
    statistics.detach(engine)
    run(engine, text("SELECT 1"))
    assert statistics.roles()["primary"].calls == 1


def test_reset_forgets_counts_and_goes_on_counting(engine, statistics):
    run(engine, text("SELECT 1"))
    statistics.reset()
    assert statistics.shapes() == ()
    run(engine, text("SELECT 1"))
    assert statistics.roles()["primary"].calls == 1


def test_a_fault_of_ours_reaches_nobody_and_is_counted(engine, monkeypatch):
    def add(*_):
        raise RuntimeError("ours")

    statistics = StatementStatistics()
    statistics.attach(engine, "primary", "primary")
    monkeypatch.setattr("pytest_dbguard.runtime.statistics.ledger.Ledger.add", add)
    run(engine, text("SELECT 1"))
    with pytest.raises(OperationalError):
        run(engine, text("SELECT nonsense FROM nowhere"))
    # the failing one is heard once as begun and once as failed
    assert statistics.faults == 2
