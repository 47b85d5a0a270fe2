"""What makes a server, a role and everything healthy, degraded or unhealthy; and how that is told."""

from __future__ import annotations

import json

import pytest

from pytest_dbguard.runtime.health.answers import Answer, failed
from pytest_dbguard.runtime.health.judgement import judge_all, judge_role, judge_target
from pytest_dbguard.runtime.health.lag import Lag
from pytest_dbguard.runtime.health.pool_sums import added, is_exhausted
from pytest_dbguard.runtime.pools.histogram import HistogramFigures
from pytest_dbguard.runtime.pools.stats import PoolFigures

GOOD = Answer(reachable=True)
BAD = Answer(reachable=False, reason="refuses connections (OperationalError)")


def judge(answer=GOOD, *, role="primary", name=None, lag=Lag(), pools=()):
    return judge_target(role, name or role, answer, lag=lag, pools=pools, max_lag_s=5.0, checked_at=12.0)


@pytest.mark.parametrize(
    ("role", "answer", "lag", "status", "reason"),
    [
        ("primary", GOOD, Lag(), "healthy", ""),
        ("primary", BAD, Lag(), "unhealthy", "refuses connections (OperationalError)"),
        ("primary", Answer(reachable=True, read_only=True), Lag(), "unhealthy", "refuses writes"),
        ("primary", Answer(reachable=True, read_only=True, is_replica=True), Lag(), "unhealthy", "is a replica"),
        ("readonly", Answer(reachable=True, read_only=True, is_replica=True), Lag(5.0, 9), "healthy", ""),
        ("readonly", GOOD, Lag(5.01, 9), "degraded", "lags 5.0 s behind, more than 5 s"),
        ("readonly", GOOD, Lag(None, 10**9), "healthy", ""),
        ("primary", Answer(reachable=True, disk_free_bytes=5_000_000), Lag(), "degraded", "has 5 MB of disk left"),
        ("primary", Answer(reachable=True, reason="busy"), Lag(), "degraded", "busy"),
    ],
)
def test_a_server(role, answer, lag, status, reason):
    found = judge(answer, role=role, lag=lag)
    assert (found.status, found.reason, found.checked_at) == (status, reason, 12.0)


def test_paused_replay_is_told():
    paused = Answer(reachable=True, is_replica=True, is_paused=True)
    assert (
        judge(paused, role="readonly", lag=Lag(60.0, 1)).reason == "lags 60.0 s behind, more than 5 s, replay is paused"
    )


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        (PoolFigures(size=2, overflow=1, in_use=2), False),
        (PoolFigures(size=2, overflow=1, in_use=3), True),
        (PoolFigures(size=2, overflow=0, in_use=2, waiting=1), True),
        (PoolFigures(size=2, overflow=-1, in_use=50), False),
        (PoolFigures(size=0, overflow=10, in_use=50), False),
        (PoolFigures(), False),
    ],
)
def test_a_pool_is_exhausted_when_the_next_caller_would_wait(figures, expected):
    assert is_exhausted(figures) is expected
    assert judge(pools=[figures]).status == ("degraded" if expected else "healthy")


def test_pools_of_one_server_are_added_up():
    one = PoolFigures(
        size=2, overflow=1, in_use=1, leaks=1, closed={"age": 2}, wait=HistogramFigures((1,) * 10, 2.0, 1.5)
    )
    two = PoolFigures(
        size=3, overflow=4, in_use=2, closed={"age": 1, "idle": 1}, wait=HistogramFigures((2,) * 10, 1.0, 0.5)
    )
    total = added([one, two])
    assert (total.size, total.overflow, total.in_use, total.leaks) == (5, 5, 3, 1)
    assert dict(total.closed) == {"age": 3, "idle": 1}
    assert (total.wait.counts, total.wait.total_s, total.wait.max_s) == ((3,) * 10, 3.0, 1.5)
    assert added([]) is None
    assert added([one]) is one
    assert added([one, PoolFigures(size=0, overflow=-1)]).overflow == -1


def role(name, *statuses):
    targets = {
        f"{name}-{at}": judge(GOOD if s == "h" else BAD, role=name, name=f"{name}-{at}")
        for at, s in enumerate(statuses)
    }
    return judge_role(name, name, targets)


@pytest.mark.parametrize(
    ("statuses", "expected"), [("hh", "healthy"), ("hu", "degraded"), ("uu", "unhealthy"), ("u", "unhealthy")]
)
def test_a_role_is_unhealthy_when_all_its_servers_are(statuses, expected):
    assert role("readonly", *statuses).status == expected


@pytest.mark.parametrize(
    ("primary", "readonly", "expected"),
    [("h", "h", "healthy"), ("h", "u", "degraded"), ("h", "hu", "degraded"), ("u", "h", "unhealthy")],
)
def test_everything_is_as_usable_as_primary(primary, readonly, expected):
    roles = {"primary": role("primary", *primary), "readonly": role("readonly", *readonly)}
    health = judge_all(roles, checked_at=1.0, elapsed_ms=2.0)
    assert health.status == expected
    assert health.ok is (expected != "unhealthy")


def test_people_read_a_line_for_each_server():
    primary = judge_role("primary", "primary", {"primary": judge()})
    replicas = {
        "readonly-1": judge(role="readonly", name="readonly-1"),
        "readonly-2": judge(Answer(reachable=False, reason="refuses connections"), role="readonly", name="readonly-2"),
    }
    roles = {
        "primary": primary,
        "readonly": judge_role("readonly", "readonly", replicas),
        "analytics": judge_role("analytics", "primary", primary.targets),
    }
    assert str(judge_all(roles, checked_at=1.0, elapsed_ms=2.0)).splitlines() == [
        "degraded",
        "  primary      healthy",
        "  readonly-1   healthy",
        "  readonly-2   unhealthy    refuses connections",
        "  analytics    served by primary",
    ]


def test_the_tree_can_be_written_as_json():
    primary = {"primary": judge(pools=[PoolFigures(closed={"age": 1})])}
    replica = {"readonly-1": judge(BAD, role="readonly", name="readonly-1")}
    roles = {
        "primary": judge_role("primary", "primary", primary),
        "readonly": judge_role("readonly", "readonly", replica),
        "analytics": judge_role("analytics", "primary", primary),
    }
    health = judge_all(roles, checked_at=1.0, elapsed_ms=2.0)
    written = json.loads(json.dumps(health.to_dict()))
    assert written["status"] == "degraded"
    assert written["roles"]["analytics"] == {"status": "healthy", "served_by": "primary"}
    assert written["roles"]["readonly"]["targets"]["readonly-1"]["reachable"] is False
    assert written["roles"]["primary"]["targets"]["primary"]["pool"]["closed"] == {"age": 1}
    assert health.reason == "readonly-1: refuses connections (OperationalError)"
    assert set(health.targets) == {"primary", "readonly-1"}


class Secret(Exception):
    """An error as drivers raise it, with a host and a user in its text."""


@pytest.mark.parametrize(
    ("text", "sqlstate", "reachable", "reason"),
    [
        (
            'connection to "db.internal" failed: FATAL: sorry, too many clients already',
            None,
            True,
            "has no connection left (53300)",
        ),
        ("FATAL: the database system is starting up", None, False, "is starting or stopping (57P03)"),
        ('FATAL: password authentication failed for user "ada"', None, False, "refuses the password (28P01)"),
        ("whatever db.internal says", "28000", False, "refuses the login (28000)"),
        ("whatever db.internal says", "XX000", False, "answers with an error (XX000)"),
        ('connection to "db.internal" failed: Connection refused', None, False, "refuses connections (Secret)"),
        ("timeout expired on db.internal", None, False, "accepts no connection in time (Secret)"),
        ("something about db.internal", None, False, "cannot be asked (Secret)"),
    ],
)
def test_an_error_is_told_without_its_text(text, sqlstate, reachable, reason):
    error = Secret(text)
    error.sqlstate = sqlstate
    answer = failed(error)
    assert (answer.reachable, answer.reason) == (reachable, reason)
    assert "internal" not in repr(answer)
    assert "ada" not in repr(answer)


def test_the_cause_of_an_error_is_looked_at():
    cause = Secret("anything")
    cause.sqlstate = "57P03"
    error = Secret("wrapped")
    error.__cause__ = cause
    assert failed(error).reason == "is starting or stopping (57P03)"
