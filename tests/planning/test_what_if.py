"""Which of several indexes help a statement, by what a scripted planner answers."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.lab.base import LabError
from pytest_dbguard.planning.plan import Access, Node
from pytest_dbguard.planning.what_if import WhatIf, effort
from tests.planning.scripted_lab import ScriptedLab, index_on, plan_of, scan_of

CITY, CUSTOMER = index_on("orders", "city"), index_on("orders", "customer_id")
A, B = "orders(city)", "orders(customer_id)"
SORT = Node(Access.SORT, "USE TEMP B-TREE FOR ORDER BY")
ROWS = {"orders": 100_000.0, "customer": 1_000.0}


def asking(costs, **given):
    """A WhatIf over a planner that has these costs and used indexes, by the indexes that are visible."""

    def script(sql, shown, rows):
        cost, used = costs[shown]
        return plan_of(*(scan_of("orders", cost, index=name) for name in used or [""]), cost=cost)

    lab = ScriptedLab(script, **given)
    what_if = WhatIf(lab)
    what_if.add([CITY, CUSTOMER])
    return what_if


def shown(*names):
    return frozenset(names)


def helped(what_if, *units):
    return [effect is not None for effect in what_if.helpful("q", [frozenset(unit) for unit in units], ROWS)]


def test_it_helps_where_it_makes_the_plan_cheaper():
    what_if = asking({shown(): (100.0, []), shown(A): (8.0, [A])})
    [effect] = what_if.helpful("q", [shown(A)], ROWS)
    assert (effect.before.cost, effect.after.cost) == (100.0, 8.0)


@pytest.mark.parametrize(("cost", "expected"), [(90.0, True), (90.1, False), (100.0, False)])
def test_a_tenth_is_the_limit(cost, expected):
    assert helped(asking({shown(): (100.0, []), shown(A): (cost, [A])}), {A}) == [expected]


@pytest.mark.parametrize(("before", "expected"), [(3.5, False), (6.9, False), (7.0, True)])
def test_what_costs_next_to_nothing_needs_no_index(before, expected):
    assert helped(asking({shown(): (before, []), shown(A): (2.0, [A])}), {A}) == [expected]


def test_what_the_planner_does_not_use_does_not_help():
    assert helped(asking({shown(): (100.0, []), shown(A): (8.0, [])}), {A}) == [False]


def test_each_of_two_that_only_help_together():
    costs = {
        shown(): (100.0, []),
        shown(A): (100.0, []),
        shown(B): (99.0, [B]),
        shown(A, B): (10.0, [A, B]),
    }
    assert helped(asking(costs), {A}, {B}) == [True, True]


def test_of_two_that_do_the_same_the_one_that_the_planner_takes():
    costs = {shown(): (100.0, []), shown(A): (8.0, [A]), shown(B): (9.0, [B]), shown(A, B): (8.0, [A])}
    assert helped(asking(costs), {A}, {B}) == [True, False]


def test_what_is_used_but_could_be_left_out():
    costs = {shown(): (100.0, []), shown(A): (8.0, [A]), shown(B): (99.0, [B]), shown(A, B): (7.9, [A, B])}
    assert helped(asking(costs), {A}, {B}) == [True, False]


def test_a_unit_is_shown_as_a_whole():
    assert helped(asking({shown(): (100.0, []), shown(A, B): (12.0, [A, B])}), {A, B}) == [True]


def test_a_candidate_that_the_lab_refuses_helps_nobody():
    lab = ScriptedLab(lambda sql, shown, rows: plan_of(scan_of("orders", 100.0), cost=100.0))
    lab.refused.add(A)
    what_if = WhatIf(lab)
    what_if.add([CITY])
    assert what_if.names([CITY]) == frozenset()
    assert what_if.size(CITY) is None
    assert helped(what_if, what_if.names([CITY])) == [False]


def test_a_question_is_asked_once():
    what_if = asking({shown(): (100.0, []), shown(A): (8.0, [A])})
    for _ in range(3):
        what_if.helpful("q", [shown(A)], ROWS)
    assert what_if.asked == len(what_if.lab.asked) == 2


def test_what_the_planner_refuses_helps_nobody_and_is_told():
    lab = ScriptedLab(lambda sql, shown, rows: None)
    what_if = WhatIf(lab)
    assert helped(what_if, {A}) == [False]
    assert what_if.plan("q").problem == "refused"


def test_errors_of_the_lab_are_told():
    def raises(sql, shown, rows):
        raise LabError("the server went away")

    assert WhatIf(ScriptedLab(raises)).plan("q").problem == "the server went away"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([scan_of("orders")], [scan_of("orders", index=A)], True),
        ([scan_of("orders", index="other")], [scan_of("orders", index=A)], False),
        ([scan_of("orders"), SORT], [scan_of("orders", index=A), SORT], True),
        ([scan_of("orders", index="other"), SORT], [scan_of("orders", index=A)], True),
        ([scan_of("orders")], [scan_of("orders", index=A), SORT], True),
        ([scan_of("customer"), scan_of("orders")], [scan_of("customer"), scan_of("orders", index=A)], True),
        ([scan_of("customer")], [scan_of("orders"), scan_of("customer", index=A)], False),
    ],
)
def test_without_costs_what_is_read_decides(before, after, expected):
    lab = ScriptedLab(lambda sql, shown, rows: plan_of(*(after if shown else before)), dialect="sqlite")
    assert helped(WhatIf(lab), {A}) == [expected]


def test_an_index_that_is_made_for_one_query_costs_more_than_a_scan():
    automatic = Node(Access.AUTOMATIC_INDEX, "SEARCH orders USING AUTOMATIC INDEX", table="orders", alias="o")
    assert effort(plan_of(automatic), ROWS) > effort(plan_of(scan_of("orders")), ROWS)


def test_a_search_that_skips_columns_is_worth_replacing():
    skips = (("Index Cond", "ANY(kind) AND city=?"),)
    before = Node(Access.INDEX, "SEARCH orders USING INDEX x", table="orders", index="x", condition=skips)
    lab = ScriptedLab(
        lambda sql, shown, rows: plan_of(scan_of("orders", index=A) if shown else before), dialect="sqlite"
    )
    assert helped(WhatIf(lab), {A}) == [True]


def test_an_index_that_is_read_from_end_to_end_is_a_scan():
    whole = Node(Access.INDEX, "SCAN orders USING INDEX x", table="orders", index="x")
    assert effort(plan_of(whole), ROWS) == effort(plan_of(scan_of("orders")), ROWS) == 100_000
