"""From how many rows indexes pay, by bisection."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.break_even import MAX_PROBES, STEPS, Question, pays_from
from tests.planning.scripted_lab import ScriptedLab, plan_of, scan_of

A = "orders(city)"


def lab_using_from(**limits):
    """A lab that uses a candidate for a text from so many rows on."""

    def script(sql, shown, rows):
        return plan_of(scan_of("orders", 1.0, index=A if shown and rows >= limits[sql] else ""), cost=1.0)

    return ScriptedLab(script)


def asked(lab, *texts, rows=1_000_000.0):
    questions = [Question(text, frozenset({A})) for text in texts or ("q",)]
    found = pays_from(lab, questions, table="orders", schema="", rows=rows)
    return [found.get(each) for each in questions]


@pytest.mark.parametrize("limit", [40, 360, 900, 4_000, 99_000, 900_000])
def test_it_is_near_and_never_below(limit):
    [found] = asked(lab_using_from(q=limit))
    assert limit <= found <= limit * 1.6


def test_it_says_two_digits():
    assert asked(lab_using_from(q=361))[0] % 10 == 0
    assert asked(lab_using_from(q=90_123))[0] % 1_000 == 0


def test_all_indexes_of_a_table_are_asked_at_one_size():
    lab = lab_using_from(q=360, r=361)
    first, second = asked(lab, "q", "r")
    assert first == second
    assert len(lab.sizes) == STEPS


def test_there_is_a_limit_to_the_sizes():
    lab = lab_using_from(a=40, b=360, c=4_000, d=99_000)
    found = asked(lab, *"abcd")
    assert len(lab.sizes) == MAX_PROBES
    assert [number >= limit for number, limit in zip(found, (40, 360, 4_000, 99_000), strict=True)] == [True] * 4


def test_a_lab_that_cannot_pretend_other_sizes():
    lab = lab_using_from(q=360)
    lab.is_resizable = False
    assert asked(lab) == [None]


def test_a_table_of_a_handful_of_rows():
    assert asked(lab_using_from(q=1), rows=10.0) == [None]
