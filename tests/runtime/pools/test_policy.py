"""Policies refuse numbers that cannot be used."""

from __future__ import annotations

from dataclasses import fields

import pytest

from pytest_dbguard.runtime.pools.policy import PoolPolicy


def test_the_defaults_can_be_used():
    PoolPolicy()


@pytest.mark.parametrize(
    "name",
    ["max_lifetime_s", "keepalive_s", "max_idle_s", "leak_after_s", "suspect_after_s", "check_after_idle_s"],
)
def test_zero_is_allowed_where_it_means_off_or_always(name):
    assert getattr(PoolPolicy(**{name: 0}), name) == 0


@pytest.mark.parametrize("name", [each.name for each in fields(PoolPolicy)])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "3", True])
def test_a_wrong_number_is_refused_with_its_name(name, value):
    with pytest.raises(ValueError, match=name):
        PoolPolicy(**{name: value})


@pytest.mark.parametrize("name", ["check_timeout_s", "connect_timeout_s"])
def test_a_timeout_must_leave_some_time(name):
    with pytest.raises(ValueError, match=f"{name} must be more than 0"):
        PoolPolicy(**{name: 0})


def test_a_jitter_of_more_than_half_is_refused():
    with pytest.raises(ValueError, match=r"between 0 and 0\.5, not 0\.6"):
        PoolPolicy(lifetime_jitter=0.6)


@pytest.mark.parametrize("value", [None, 0, 7])
def test_how_many_may_wait_can_be_limited_to_none_at_all(value):
    assert PoolPolicy(max_waiting=value).max_waiting == value


def test_half_a_caller_cannot_wait():
    with pytest.raises(ValueError, match="max_waiting"):
        PoolPolicy(max_waiting=1.5)
