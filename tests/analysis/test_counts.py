"""Counts of tests: names of scopes, what travels, and what the gate makes of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.analysis.count_gate import CountGate
from pytest_dbguard.analysis.counts import ShapeCount, counts_from_json, counts_to_json, scope_name
from pytest_dbguard.analysis.judge import active_rules
from pytest_dbguard.baseline.counts import CountEntry, Counts, TestKey
from pytest_dbguard.core.findings import Severity, Site

TEST = "tests/test_a.py::test_a"
VIEW, OTHER = Site("shop/views.py", 58, 5, "list_orders"), Site("shop/other.py", 3, None, "other")
IN_TEST = Site("tests/test_a.py", 9, 1, "test_a", in_test_code=True)
SITES = st.builds(Site, st.text(max_size=5), st.integers(1, 99), st.none() | st.integers(1, 9), st.text(max_size=5))
SHAPES = st.dictionaries(
    st.text(max_size=5),
    st.builds(
        ShapeCount,
        st.integers(1, 99),
        st.text(max_size=9),
        st.lists(st.tuples(st.integers(1, 9), SITES), max_size=3).map(tuple),
    ),
)


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ("call", "call"),
        ("block", "block"),
        ("GET /", "GET /"),
        ("GET /orders", "GET /orders"),
        ("GET /orders/", "GET /orders/"),
        ("GET /orders/17", "GET /orders/{}"),
        ("POST /api/v2/orders/17/lines", "POST /api/v2/orders/{}/lines"),
        ("GET /oauth2/sign-in", "GET /oauth2/sign-in"),
        ("GET /file/0b6a7a1e-7b0e-4c39-9c0e-1f2d3c4b5a69", "GET /file/{}"),
        ("GET /t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "GET /t/{}"),
        ("GET /t/abcdefghijklmnopqrstuvwxyzabcdefghijkl", "GET /t/{}"),
        ("GET /users/ada@example.com", "GET /users/{}"),
        ("GET /users/ada lovelace/posts", "GET /users/{}/posts"),
        ("GET /ort/münchen", "GET /ort/{}"),
        ("GET /x/a\nb", "GET /x/{}"),
        ("WEBSOCKET /rooms/42", "WEBSOCKET /rooms/{}"),
    ],
)
def test_names_of_scopes(scope, name):
    assert scope_name(scope) == name
    assert scope_name(name) == name


@given(st.dictionaries(st.text(min_size=1, max_size=9), SHAPES))
def test_counts_survive_the_journey(counts):
    assert counts_from_json(json.loads(json.dumps(counts_to_json(counts)))) == counts


def accepted(scope="call", test=TEST, **statements):
    return Counts((CountEntry.of(TestKey.of(test), scope, statements),))


def ran(scope="call", place=VIEW, **statements):
    return {scope: {shape: ShapeCount(n, f"SELECT {shape}", ((n, place),)) for shape, n in statements.items()}}


def gate(counts, *, keeps=False, **options):
    table = {"query-count-regression": options} if options else {}
    (rule,) = active_rules(select=["DBG902"], tables=table)
    return CountGate(counts, rule, keeps=keeps)


def regressions(counts, shown, marker=None, test=TEST, **options):
    judged = gate(counts, **options)
    judged.take(test, shown, marker)
    return judged.regressions({test})


def test_growth_names_shapes_and_lines():
    (finding,) = regressions(accepted(a=5, b=4), ran(a=45, c=4))
    assert (finding.rule, finding.subject, finding.tests) == ("DBG902", TEST, (TEST,))
    assert finding.message == "9 -> 49 queries in test_a"
    assert (finding.severity, finding.count, finding.site, finding.shape.id) == (Severity.ERROR, 40, VIEW, "a")
    assert finding.evidence == (
        "+40 shop/views.py:58 in list_orders: SELECT a",
        "+4 shop/views.py:58 in list_orders: SELECT c",
        "-4 of 1 other shape that ran more often before",
    )


def test_the_three_worst_shapes_are_told():
    (finding,) = regressions(accepted(a=1), ran(a=1, b=1, c=2, d=3, e=4, f=5))
    assert [line.split()[0] for line in finding.evidence] == ["+5", "+4", "+3", "+3"]
    assert finding.evidence[-1] == "+3 of 2 other shapes"


def test_the_site_is_application_code_or_none():
    shown = ran(place=IN_TEST, a=9) | {}
    (finding,) = regressions(accepted(a=1), shown)
    assert (finding.site, finding.evidence) == (None, ("+8 tests/test_a.py:9 in test_a",))
    shown["call"]["b"] = ShapeCount(2, "SELECT b", ((2, OTHER),))
    (finding,) = regressions(accepted(a=1), shown)
    assert finding.site == OTHER


def test_all_lines_of_a_shape_are_told():
    shown = {"call": {"a": ShapeCount(9, "SELECT a", ((5, VIEW), (4, OTHER)))}}
    (finding,) = regressions(accepted(a=5), shown)
    assert finding.evidence == ("+4 shop/views.py:58 in list_orders, shop/other.py:3 in other",)


def test_requests_are_judged_apart():
    counts = Counts((*accepted(a=9).entries, *accepted("GET /orders/{}", a=2).entries))
    shown = ran(a=1) | ran("GET /orders/{}", a=3) | ran("GET /new", a=50)
    (finding,) = regressions(counts, shown)
    assert (finding.scope, finding.message) == ("GET /orders/{}", "2 -> 3 queries in GET /orders/{} of test_a")


def test_parameters_are_told_as_the_test_that_shows_it_only():
    test = f"{TEST}[secret]"
    (finding,) = regressions(accepted(test=test, a=1), ran(a=2), test=test)
    assert (finding.subject, finding.tests) == (TEST, (test,))
    assert "secret" not in finding.message
    assert regressions(accepted(test=f"{TEST}[other]", a=1), ran(a=2), test=test) == ()


@pytest.mark.parametrize(
    ("options", "marker", "allowed"),
    [
        ({}, None, 0),
        ({"tolerance": 3}, None, 3),
        ({"tolerance": 3}, 1, 1),
        ({"tolerance": 3}, 0, 0),
        ({"tolerance": 3, "tolerances": {"tests/*": 1}}, None, 1),
        ({"tolerances": {"tests/test_a.py": 2}}, None, 2),
        ({"tolerances": {"tests/other/*": 2}}, None, 0),
        ({"tolerances": {"tests/*": 9, "tests/test_a.py::test_a": 2, "*": 5}}, None, 2),
        ({"tolerances": {"tests/test_a.py::*": 2, "tests/test_?.py": 5}}, None, 2),
    ],
)
def test_tolerances(options, marker, allowed):
    assert regressions(accepted(a=5), ran(a=5 + allowed), marker, **options) == ()
    assert len(regressions(accepted(a=5), ran(a=6 + allowed), marker, **options)) == 1


def test_a_set_of_parameters_can_have_a_tolerance():
    test = f"{TEST}[slow]"
    counts = accepted(test=test, a=1)
    assert regressions(counts, ran(a=3), test=test, tolerances={TEST: 0, test: 2}) == ()


def test_new_tests_and_scopes_and_unfinished_tests_are_no_findings():
    assert regressions(Counts(), ran(a=50)) == ()
    assert regressions(accepted("GET /", a=1), ran(a=50)) == ()
    judged = gate(accepted(a=1))
    judged.take(TEST, ran(a=9), None)
    assert judged.regressions(()) == ()
    assert judged.improvement(()) == (0, 0)
    assert judged.updated(()) == accepted(a=1)


def test_improvements():
    judged = gate(Counts((*accepted(a=9).entries, *accepted("GET /gone", a=4).entries)))
    judged.take(TEST, ran(a=2), None)
    judged.take("tests/test_b.py::test_new", ran(a=2), None)
    assert judged.improvement({TEST, "tests/test_b.py::test_new"}) == (1, 7)
    judged.take(TEST, {}, None)
    assert judged.improvement({TEST}) == (1, 9)


def test_a_test_that_runs_again_counts_as_the_last_time():
    judged = gate(accepted(a=1), keeps=True)
    judged.take(TEST, ran(a=9), None)
    assert len(judged.regressions({TEST})) == 1
    judged.take(TEST, ran(a=1), None)
    assert judged.regressions({TEST}) == ()
    assert judged.updated({TEST}).entries == accepted(a=1).entries


def test_an_update_drops_scopes_that_a_test_no_longer_has():
    judged = gate(Counts((*accepted(a=9).entries, *accepted("GET /gone", a=4).entries)), keeps=True)
    judged.take(TEST, ran(b=2), None)
    updated = judged.updated({TEST})
    assert updated.entries == accepted(b=2).entries
    assert updated.texts == (("b", "SELECT b"),)


def test_nothing_is_judged_without_the_rule():
    judged = CountGate(accepted(a=1), None, keeps=True)
    judged.take(TEST, ran(a=9), None)
    assert judged.regressions({TEST}) == ()
    assert judged.updated({TEST}).entries == accepted(a=9).entries


def test_what_one_line_makes_many_tests_run_is_one_finding():
    tests = [f"tests/test_a.py::test_{name}" for name in "abcdef"]
    counts = Counts(tuple(entry for test in tests for entry in accepted(test=test, a=1).entries))
    judged = gate(counts)
    for number, test in enumerate(tests):
        judged.take(test, ran(a=2 + number), None)
    (finding,) = judged.regressions(set(tests))
    assert finding.tests == tuple(tests)
    assert finding.message == "1 -> 7 queries in test_f and in 5 more"
    assert finding.subject == tests[-1]
    assert finding.evidence[1:] == (
        "1 -> 6 queries in test_e",
        "1 -> 5 queries in test_d",
        "1 -> 4 queries in test_c",
        "and 2 more",
    )


def test_other_lines_are_other_findings():
    tests = ["tests/test_a.py::test_a", "tests/test_a.py::test_b"]
    counts = Counts(tuple(entry for test in tests for entry in accepted(test=test, a=1).entries))
    judged = gate(counts)
    judged.take(tests[0], ran(a=3), None)
    judged.take(tests[1], ran(place=OTHER, a=3), None)
    assert sorted(finding.message for finding in judged.regressions(set(tests))) == [
        "1 -> 3 queries in test_a",
        "1 -> 3 queries in test_b",
    ]
