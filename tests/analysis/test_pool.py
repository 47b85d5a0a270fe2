"""The pool: one finding of each fact, whatever the order in which tests and workers bring them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_dbguard.analysis.pool import FindingPool, reading_order
from pytest_dbguard.core.findings import Certainty, Finding, Severity, Site

STEADY = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SITES = st.builds(Site, st.sampled_from(["a.py", "b.py"]), st.integers(1, 3), st.sampled_from([None, 4]), st.just("f"))
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(["DBG101", "DBG103"]),
    name=st.just("name"),
    severity=st.sampled_from(Severity),
    subject=st.sampled_from(["Order.items", "orders"]),
    message=st.sampled_from(["one", "two"]),
    site=st.none() | SITES,
    origin=st.none() | SITES,
    loop=st.none() | SITES,
    certainty=st.sampled_from(Certainty),
    count=st.integers(2, 4),
    tests=st.tuples(st.sampled_from(["t1", "t2", "t3"])),
    in_test_code=st.booleans(),
    scope=st.sampled_from(["call", "setup"]),
)
FINDING = Finding("DBG101", "n-plus-one", Severity.ERROR, "Order.items", "message", site=Site("a.py", 3), tests=("t2",))


def pooled(*groups):
    pool = FindingPool()
    for group in groups:
        pool.add(group)
    return pool.findings()


@STEADY
@given(st.data(), st.lists(FINDINGS, max_size=12))
def test_order_never_matters(data, findings):
    shuffled = data.draw(st.permutations(findings))
    assert pooled(findings) == pooled(shuffled)


@STEADY
@given(st.lists(FINDINGS, max_size=12), st.integers(0, 12))
def test_groups_never_matter(findings, cut):
    assert pooled(findings) == pooled(findings[:cut], findings[cut:]) == pooled(*([each] for each in findings))


@STEADY
@given(st.lists(FINDINGS, max_size=12), st.integers(0, 12))
def test_workers_never_matter(findings, cut):
    """What two processes pooled is pooled again."""
    assert pooled(findings) == pooled(pooled(findings[:cut]), pooled(findings[cut:]))


@STEADY
@given(st.lists(FINDINGS, max_size=12))
def test_nothing_is_lost_and_nothing_twice(findings):
    found = pooled(findings)
    assert pooled(found) == pooled(found, found) == found
    assert {each.rule for each in found} == {each.rule for each in findings}
    assert {test for each in found for test in each.tests} == {test for each in findings for test in each.tests}
    assert list(found) == sorted(found, key=reading_order)


def test_tests_are_joined():
    found = pooled([FINDING], [replace(FINDING, tests=("t1",))], [FINDING])
    assert found == (replace(FINDING, tests=("t1", "t2")),)


def test_the_test_that_shows_most_speaks():
    more = replace(FINDING, count=9, message="more", tests=("t9",))
    [found] = pooled([FINDING, more])
    assert (found.count, found.message, found.tests) == (9, "more", ("t2", "t9"))


def test_among_equals_the_first_by_name_speaks():
    other = replace(FINDING, message="by the first", tests=("t1",))
    assert pooled([FINDING, other])[0].message == "by the first"


def test_certain_once_is_certain():
    likely = replace(FINDING, certainty=Certainty.LIKELY, count=9)
    assert pooled([likely])[0].certainty is Certainty.LIKELY
    assert pooled([likely, FINDING])[0].certainty is Certainty.CERTAIN


def test_the_worst_severity_counts():
    note = replace(FINDING, severity=Severity.NOTE, count=9)
    assert pooled([note, FINDING])[0].severity is Severity.ERROR


def test_what_makes_two_facts():
    others = [
        replace(FINDING, rule="DBG103"),
        replace(FINDING, subject="Order.customer"),
        replace(FINDING, site=Site("a.py", 4)),
        replace(FINDING, site=Site("b.py", 3)),
        replace(FINDING, site=None),
        replace(FINDING, origin=Site("a.py", 1)),
        replace(FINDING, loop=Site("a.py", 1)),
        replace(FINDING, in_test_code=True),
    ]
    assert len(pooled([FINDING, *others])) == 1 + len(others) - 1  # an origin and a loop on one line are one cause


def test_columns_and_functions_make_no_facts():
    assert len(pooled([FINDING, replace(FINDING, site=Site("a.py", 3, 9, "other"))])) == 1


def test_worst_first_then_by_place():
    note = replace(FINDING, severity=Severity.NOTE, site=Site("a.py", 1))
    early, late = replace(FINDING, site=Site("a.py", 2)), replace(FINDING, site=Site("b.py", 1))
    assert pooled([note, late, early]) == (early, late, note)
