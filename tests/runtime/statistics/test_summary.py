"""The figures of a whole manager, and the summary for people: what leads, what fits, what is never in it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from pytest_dbguard.runtime.events import Events
from pytest_dbguard.runtime.pools.histogram import HistogramFigures
from pytest_dbguard.runtime.pools.stats import PoolFigures
from pytest_dbguard.runtime.routing.replica_state import ReplicaState
from pytest_dbguard.runtime.statistics import StatementFigures, StatementStatistics, metrics_of, summary_of
from pytest_dbguard.runtime.statistics.text import duration, milliseconds, number, shortened


class Clock:
    now_s = 50.0

    def monotonic(self):
        return self.now_s

    wall = monotonic

    def sleep(self, seconds):
        self.now_s += seconds


WAITED = HistogramFigures((90, 0, 0, 0, 0, 10, 0, 0, 0, 0), 3.0, 0.4)


@pytest.fixture
def manager():
    """A manager of one engine whose statements are counted, with pools that have had a bad day."""
    clock, events = Clock(), Events()
    engine = create_engine("sqlite://")
    statistics = StatementStatistics(events, clock=clock)
    statistics.attach(engine, "primary", "primary")
    targets = [SimpleNamespace(role="primary", name="primary"), SimpleNamespace(role="readonly", name="readonly-1")]
    pools = {
        ("readonly-1", False): PoolFigures(size=5, overflow=0, idle=5),
        ("primary", True): PoolFigures(size=5, overflow=5),
        ("primary", False): PoolFigures(size=5, in_use=5, timeouts=3, shed=4, leaks=2, wait=WAITED),
    }
    return SimpleNamespace(
        state="started",
        clock=clock,
        events=events,
        statistics=statistics,
        made=engine,
        settings=SimpleNamespace(targets=lambda: targets),
        checker=SimpleNamespace(states=lambda: {"primary": "healthy", "readonly-1": "unknown"}),
        replicas=SimpleNamespace(states=lambda: (ReplicaState("readonly-1", "lagging", 1.0, 0, 7.5, "lags"),)),
        engines=lambda: [
            SimpleNamespace(
                target=SimpleNamespace(name=name),
                is_async=is_async,
                stats=SimpleNamespace(snapshot=lambda f=figures: f),
            )
            for (name, is_async), figures in pools.items()
        ],
    )


def put(manager, sql, *, calls, total_ms, errors=0, role="primary", slow=0):
    """Pretend that a statement was executed."""
    context = SimpleNamespace(compiled=None)
    manager.statistics.attach(create_engine("sqlite://"), role, role)
    ledger = manager.statistics._ledgers[role]
    for number_ in range(calls):
        row = ledger.add(context, sql, int(total_ms * 1e6 / calls), 0, number_ < slow)
        if number_ < errors:
            ledger.add_error(row, "DataError 22012")


def test_metrics_hold_everything_by_name(manager):
    with manager.made.connect() as connection:
        connection.execute(text("SELECT 'secret'"))
    manager.clock.sleep(10.0)
    manager.events.faults = 3
    metrics = metrics_of(manager)
    assert (metrics.state, metrics.uptime_s, metrics.listener_faults, metrics.own_faults) == ("started", 10.0, 3, 0)
    assert list(metrics.pools) == ["primary", "primary (async)", "readonly-1"]
    assert metrics.pools["primary"].timeouts == 3
    assert metrics.statements["primary"].calls == 1
    assert metrics.replicas["readonly-1"].state == "lagging"
    assert metrics.health == {"primary": "healthy", "readonly-1": "unknown"}
    written = json.loads(json.dumps(metrics.to_dict()))
    assert written["pools"]["primary"]["wait"]["counts"][0] == 90
    assert written["statements"]["primary"]["mean_ms"] > 0
    assert written["replicas"]["readonly-1"]["lag_s"] == 7.5
    assert "secret" not in repr(metrics)


def test_each_list_leads_with_what_is_worst(manager):
    put(manager, "SELECT often", calls=1000, total_ms=500.0)
    put(manager, "SELECT slow", calls=2, total_ms=900.0, slow=2)
    put(manager, "SELECT failing", calls=10, total_ms=1.0, errors=5)
    put(manager, "SELECT elsewhere", calls=3, total_ms=30.0, role="readonly", errors=1)
    summary = summary_of(manager, top=2)
    assert [shape.sql for shape in summary.by_total] == ["SELECT slow", "SELECT often"]
    assert [shape.sql for shape in summary.by_mean] == ["SELECT slow", "SELECT elsewhere"]
    assert [shape.sql for shape in summary.by_calls] == ["SELECT often", "SELECT failing"]
    assert [shape.sql for shape in summary.by_errors] == ["SELECT failing", "SELECT elsewhere"]
    assert set(summary.roles) == {"primary", "readonly"}
    written = json.loads(json.dumps(summary.to_dict()))
    assert written["by_total"][0]["mean_ms"] == 450.0


def test_the_text_names_what_matters(manager):
    put(manager, "SELECT slow FROM tables WHERE id = 17", calls=2, total_ms=9000.0, slow=2)
    put(manager, "SELECT x FROM elsewhere", calls=4, total_ms=30.0, role="readonly", errors=1)
    manager.clock.sleep(3700.0)
    told = str(summary_of(manager))
    assert told.splitlines()[0] == "Statements of 1 h 1 min"
    for words in ("SELECT slow FROM tables WHERE id = ?", "9.00 s", "4.50 s", "25%", "readonly", "<= 400 ms"):
        assert words in told
    assert "17" not in told
    # 3 timeouts and 4 refused at once; 2 leaks
    line = next(line for line in told.partition("Connections")[2].splitlines() if line.startswith("  primary "))
    assert line.split()[-2:] == ["7", "2"]


def test_shapes_name_their_role_where_there_are_several(manager):
    put(manager, "SELECT a FROM one", calls=2, total_ms=4.0)
    summary = summary_of(manager)
    assert not [line for line in str(summary).splitlines() if line.startswith("    primary")]
    put(manager, "SELECT a FROM one", calls=4, total_ms=2.0, role="readonly", errors=1)
    lines = [" ".join(line.split()) for line in str(summary_of(manager)).splitlines() if line.startswith("    ")]
    assert "primary 2 0% 0 2.00 ms 2.00 ms 4.00 ms" in lines
    assert "readonly 4 25% 0 0.50 ms 0.50 ms 2.00 ms" in lines


def test_a_manager_that_has_done_nothing_says_so(manager):
    assert str(summary_of(manager)).splitlines()[:2] == ["Statements of 0.0 s", "  none"]


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=300), st.integers(1, 10**12), st.floats(0, 1e12)), min_size=1, max_size=3
    )
)
def test_no_line_is_longer_than_80_columns(drawn):
    from pytest_dbguard.runtime.statistics.figures import RoleFigures
    from pytest_dbguard.runtime.statistics.summary import PerformanceSummary

    shapes = tuple(
        StatementFigures("analytics", "x", sql, calls, calls, total, total, calls, calls) for sql, calls, total in drawn
    )
    roles = {
        str(at): RoleFigures(
            "r" * 50, each.calls, each.errors, each.total_ms, each.max_ms, 0, each.slow, 0, 1, {}, WAITED
        )
        for at, each in enumerate(shapes)
    }
    calls = drawn[0][1]
    pool = PoolFigures(in_use=calls, idle=calls, timeouts=calls, shed=calls, leaks=calls, wait=WAITED)
    summary = PerformanceSummary(drawn[0][2], roles, shapes, shapes, shapes, shapes, {"p" * 60: pool})
    assert max(map(len, str(summary).split("\n"))) <= 80


@pytest.mark.parametrize(
    ("text_", "expected"),
    [
        ("SELECT a FROM t", "SELECT a FROM t"),
        ("SELECT t.a, t.b, t.c, (SELECT x FROM y) FROM t WHERE z", "SELECT … FROM t WHERE z"),
        ("SELECT\n  a", "SELECT a"),
        (
            "INSERT INTO table_of_things (one, two, three) VALUES (?)",
            "INSERT INTO t…ee) VALUES (?)",
        ),
    ],
)
def test_text_is_shortened_where_it_says_least(text_, expected):
    assert shortened(text_, 28) == expected


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.04, "0.0 s"), (75.0, "1 min 15 s"), (7260.0, "2 h 1 min"), (90_000.0, "1 d 1 h")]
)
def test_durations(seconds, told):
    assert duration(seconds) == told


@pytest.mark.parametrize(
    ("value", "told"), [(0, "0"), (9_999, "9999"), (12_345, "12.3k"), (4_567_890, "4.57M"), (10**12, "1000G")]
)
def test_numbers(value, told):
    assert number(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.123, "0.12 ms"), (45.4, "45 ms"), (1_234.0, "1.23 s"), (90_000.0, "1.5 min"), (7_200_000.0, "2.0 h")],
)
def test_milliseconds(value, told):
    assert milliseconds(value) == told
