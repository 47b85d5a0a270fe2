"""When a server's confirmed health changes: not for one bad check, and what comes and goes is degraded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.runtime.health.hysteresis import TargetState
from pytest_dbguard.runtime.health.model import STATUSES

WORDS = {"h": "healthy", "d": "degraded", "u": "unhealthy"}


def confirmed(checks, unhealthy_after=3, healthy_after=2):
    """Return the first letter of the confirmed status after each check."""
    state = TargetState(unhealthy_after, healthy_after)
    told = []
    for letter in checks:
        before = state.status
        assert state.note(WORDS[letter]) == (state.status != before)
        told.append(state.status[0])
    return "".join(told)


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ("h", "h"),
        ("u", "u"),
        ("huu", "hhh"),
        ("huuu", "hhhu"),
        ("huuhuu", "hhhhhh"),
        ("huuuh", "hhhuu"),
        ("huuuhh", "hhhuuh"),
        ("huuuhuhuhh", "hhhuuuuuud"),
        # it gets as bad as all checks in a row say, and as good
        ("hudu", "hhhd"),
        ("huud", "hhhd"),
        ("uhd", "uud"),
        ("udh", "uud"),
        ("dhh", "ddh"),
        ("duuu", "dddu"),
        ("dhuuu", "ddddu"),
        ("hddduuu", "hhhdddu"),
    ],
)
def test_a_status_changes_when_enough_checks_in_a_row_agree(checks, expected):
    assert confirmed(checks) == expected


def test_one_that_comes_and_goes_is_degraded_and_recovers_when_it_stays():
    told = confirmed("h" + "uh" * 4)
    assert told.startswith("hhhh")
    assert told[-1] == "d"
    assert confirmed("h" + "uh" * 4 + "h" * 10)[-1] == "h"


def test_unknown_is_only_before_the_first_check():
    assert TargetState(1, 1).status == "unknown"


@given(st.lists(st.sampled_from("hdu")), st.integers(1, 4), st.integers(1, 4))
def test_it_gets_worse_only_after_as_many_worse_checks_and_better_after_as_many_better(checks, bad, good):
    rank = "hdu".index
    told = confirmed(checks, bad, good)
    for place in range(1, len(told)):
        before, now = told[place - 1], told[place]
        if rank(now) > rank(before) and now == "u":
            assert all(rank(each) > rank(before) for each in checks[max(0, place + 1 - bad) : place + 1])
            assert place + 1 >= bad
        if rank(now) < rank(before):
            assert all(rank(each) < rank(before) for each in checks[max(0, place + 1 - good) : place + 1])


def test_statuses_stand_from_best_to_worst():
    assert STATUSES == ("healthy", "degraded", "unhealthy")
