"""How long a replica lags behind, by what was seen of primary's log."""

from __future__ import annotations

import pytest

from pytest_dbguard.runtime.routing import LATEST, Position
from pytest_dbguard.runtime.routing.primary_log import PrimaryLog
from pytest_dbguard.runtime.routing.samples import Sample


def log_of(*seen, max_lag_s=6.4):
    log = PrimaryLog(max_lag_s)
    for at, lsn in seen:
        log.note(Position(lsn, timeline=1), at)
    return log


def replica(lsn, at, age_s=None):
    return Sample(at, Position(lsn, timeline=1), is_standby=True, started="1", age_s=age_s)


@pytest.mark.parametrize(
    ("lsn", "at", "lag_s"), [(300, 9.0, 0.0), (400, 9.0, 0.0), (299, 9.0, 1.0), (250, 9.0, 1.0), (199, 9.0, 4.0)]
)
def test_it_lags_since_the_log_was_first_seen_beyond_what_it_has(lsn, at, lag_s):
    assert log_of((1.0, 100), (5.0, 200), (8.0, 300)).lag_s(replica(lsn, at)) == lag_s


def test_what_was_behind_before_the_log_was_seen_is_as_old_as_it_says():
    log = log_of((1.0, 100))
    assert log.lag_s(replica(50, 2.0, age_s=70.0)) == 70.0
    assert log.lag_s(replica(50, 2.0)) == 1.0
    assert log.lag_s(replica(50, 90.0, age_s=70.0)) == 89.0


def test_nobody_knows_without_a_log_or_a_position():
    assert log_of().lag_s(replica(50, 2.0, age_s=70.0)) is None
    assert log_of((1.0, 100)).lag_s(Sample(2.0, None, is_standby=True, started="1")) is None
    assert log_of((1.0, 100)).lag_s(Sample(2.0, Position(50), is_standby=False, started="1")) is None


def test_a_thousand_commits_a_second_leave_a_log_of_the_same_length():
    log = log_of(*((n / 1000, n) for n in range(1, 100_001)))
    assert len(log._seen) <= 256
    assert log.last == Position(100_000, timeline=1)
    assert 2.9 <= log.lag_s(replica(97_000, 100.0)) <= 3.1
    assert log.lag_s(replica(1, 100.0)) > 6.4


def test_commits_that_are_told_in_another_order_change_nothing():
    log = log_of((1.0, 100), (2.0, 200), (3.0, 150))
    assert log.last == Position(200, timeline=1)


def test_what_primary_says_when_asked_is_true_also_where_it_is_less():
    log = log_of((1.0, 100), (2.0, 200))
    log.note(Position(120, timeline=1), 1.5, is_asked=True)
    assert log.last == Position(200, timeline=1)
    log.note(Position(120, timeline=1), 3.0, is_asked=True)
    assert log.last == Position(120, timeline=1)
    assert log.lag_s(replica(110, 4.0)) == 1.0


def test_a_new_timeline_begins_the_log_anew():
    log = log_of((1.0, 100), (2.0, 200))
    log.note(Position(150, timeline=2), 3.0)
    assert log.last == Position(150, timeline=2)
    assert log.lag_s(replica(140, 5.0)) == 2.0


@pytest.mark.parametrize(
    ("position", "clamped"),
    [
        (Position(200, timeline=2), Position(200, timeline=2)),
        (Position(5, timeline=1), Position(5, timeline=1)),
        (Position(201, timeline=2), Position(200, timeline=2)),
        (Position(201, timeline=1), Position(200, timeline=2)),
        (Position(5, timeline=3), Position(200, timeline=2)),
        (LATEST, Position(200, timeline=2)),
    ],
)
def test_no_position_is_beyond_the_log(position, clamped):
    log = PrimaryLog(1.0)
    assert log.clamp(position) == position
    log.note(Position(200, timeline=2), 1.0)
    assert log.clamp(position) == clamped
    assert log.is_beyond(position) == (position != clamped)
