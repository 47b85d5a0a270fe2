"""From how many rows an index pays, by bisection."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.break_even import STEPS, pays_from
from pytest_dbguard.planning.what_if import WhatIf
from tests.planning.scripted_lab import ScriptedLab, plan_of, scan_of

A = "orders(city)"


def lab_using_from(limit):
    def script(sql, shown, rows):
        return plan_of(scan_of("orders", 1.0, index=A if shown and rows >= limit else ""), cost=1.0)

    return ScriptedLab(script)


def asked(lab, rows=1_000_000.0):
    return pays_from(WhatIf(lab), "q", frozenset({A}), table="orders", schema="", rows=rows)


@pytest.mark.parametrize("limit", [20, 360, 4_000, 99_000, 900_000])
def test_it_is_near_and_never_below(limit):
    assert limit <= asked(lab_using_from(limit)) <= limit * 1.2


def test_it_says_two_digits():
    assert asked(lab_using_from(361)) % 10 == 0
    assert asked(lab_using_from(90_123)) % 1_000 == 0


def test_so_many_plans():
    lab = lab_using_from(360)
    asked(lab)
    assert len(lab.asked) == STEPS


def test_a_lab_that_cannot_pretend_other_sizes():
    lab = lab_using_from(360)
    lab.is_resizable = False
    assert asked(lab) is None


def test_a_table_of_a_handful_of_rows():
    assert asked(lab_using_from(1), rows=10.0) is None
