"""How far a replica is behind, from positions: what an idle primary, paused replay and clocks apart do to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_dbguard.runtime.health.answers import Answer
from pytest_dbguard.runtime.health.lag import Lag, PrimaryPositions, lag_of

PRIMARY = Answer(reachable=True, current_lsn=1000, server_time=5000.0)
REPLICA = Answer(
    reachable=True,
    is_replica=True,
    received_lsn=1000,
    replayed_lsn=1000,
    replayed_at=100.0,
    server_time=5000.0,
    is_streaming=True,
)


def lag(replica=REPLICA, primary=PRIMARY, seen=(), now_s=0.0):
    positions = PrimaryPositions()
    for lsn, at_s in seen:
        positions.note(lsn, at_s)
    return lag_of(replica, primary, positions, now_s)


def test_a_replica_of_an_idle_primary_does_not_lag_however_old_its_last_transaction():
    assert lag() == Lag(0.0, 0)


def test_a_replica_that_was_asked_after_its_primary_may_be_further():
    assert lag(replace(REPLICA, replayed_lsn=1010, received_lsn=1010)) == Lag(0.0, 0)


def test_what_it_has_not_even_received_counts():
    behind = replace(REPLICA, received_lsn=400, replayed_lsn=400, replayed_at=4990.0)
    assert lag(behind) == Lag(10.0, 600)


def test_the_age_is_told_by_the_clock_of_the_primary():
    behind = replace(REPLICA, replayed_lsn=900, replayed_at=4999.0, server_time=9999.0)
    assert lag(behind) == Lag(1.0, 100)


def test_a_clock_that_runs_ahead_gives_no_negative_lag():
    assert lag(replace(REPLICA, replayed_lsn=900, replayed_at=5100.0)) == Lag(0.0, 100)


def test_after_a_long_quiet_the_lag_is_since_the_primary_was_seen_there():
    # its last transaction is 4900 s old, but 3 s ago the primary was no further either
    behind = replace(REPLICA, replayed_lsn=900)
    assert lag(behind, seen=[(900, 40.0), (900, 97.0), (1000, 100.0)], now_s=100.0) == Lag(3.0, 100)


def test_of_two_bounds_the_smaller_holds():
    behind = replace(REPLICA, replayed_lsn=900, replayed_at=4999.0)
    assert lag(behind, seen=[(900, 97.0), (1000, 100.0)], now_s=100.0) == Lag(1.0, 100)


def test_without_any_bound_only_the_bytes_are_known():
    assert lag(replace(REPLICA, replayed_lsn=900, replayed_at=None)) == Lag(None, 100)


def test_without_its_primary_it_lags_behind_what_it_has_received():
    assert lag(primary=None) == Lag(0.0, 0)
    assert lag(replace(REPLICA, replayed_lsn=900, replayed_at=4998.0), None) == Lag(2.0, 100)
    assert lag(primary=Answer(reachable=False)) == Lag(0.0, 0)


def test_cut_off_from_a_primary_that_does_not_answer_nobody_knows():
    cut_off = replace(REPLICA, is_streaming=False)
    assert lag(cut_off, None) == Lag(None, 0)
    assert lag(replace(cut_off, received_lsn=None), None) == Lag(None, None)


def test_cut_off_from_a_primary_that_answers_it_lags_behind_that():
    assert lag(replace(REPLICA, is_streaming=False, replayed_lsn=900, replayed_at=4000.0)) == Lag(1000.0, 100)


def test_a_server_that_is_no_replica_does_not_lag():
    assert lag(replace(REPLICA, is_replica=False, replayed_lsn=5)) == Lag(None, None)


def test_positions_of_another_primary_begin_anew():
    positions = PrimaryPositions()
    for lsn, at_s in ((100, 1.0), (200, 2.0), (300, 3.0), (150, 4.0)):
        positions.note(lsn, at_s)
    assert [positions.last_seen_at(lsn) for lsn in (99, 100, 149, 150, 400)] == [None, 1.0, 1.0, 4.0, 4.0]


def test_positions_are_kept_up_to_a_bound():
    positions = PrimaryPositions()
    for lsn in range(10_000):
        positions.note(lsn, float(lsn))
    assert positions.last_seen_at(9_499) is None
    assert positions.last_seen_at(9_500) == 9_500.0


@pytest.mark.parametrize(
    ("was_replica", "primary", "is_stray"),
    [
        (True, replace(PRIMARY, started_at=1.0), True),
        (False, replace(PRIMARY, started_at=1.0), False),
        (True, replace(PRIMARY, started_at=2.0), False),
        (True, replace(PRIMARY, started_at=1.0, read_only=True), False),
        (True, Answer(reachable=False), False),
        (True, None, False),
    ],
)
def test_a_promoted_server_is_stray_while_another_leads(was_replica, primary, is_stray):
    promoted = replace(REPLICA, is_replica=False, was_replica=was_replica, started_at=2.0)
    assert lag(promoted, primary) == Lag(is_stray=is_stray)
