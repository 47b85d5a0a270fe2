"""Unused eager loads weigh by what the whole suite reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_dbguard.analysis.eager_loads import weigh_unused
from pytest_dbguard.analysis.judge import active_rules
from pytest_dbguard.analysis.pool import FindingPool
from pytest_dbguard.core.findings import Finding, Fix, Severity, Site
from pytest_dbguard.rules.unused_eager_load import MAPPED_FIX

SITE = Site("shop/orders.py", 12, function="orders")
UNUSED = Finding(
    rule="DBG107",
    name="unused-eager-load",
    severity=Severity.NOTE,
    subject="Order.items",
    message="`Order.items` is loaded with every `Order` and never read",
    site=SITE,
    tests=("tests/test_a.py::test_a",),
)
OTHER = replace(UNUSED, rule="DBG601", name="slow-query")
KEY = ("Order.items", "shop/orders.py", 12)


def test_what_no_test_reads_has_the_weight_of_the_rule():
    unused, other = weigh_unused([UNUSED, OTHER], set(), active_rules(), is_whole_suite=True)
    assert unused.severity is Severity.WARNING
    assert unused.message.endswith("never read, in no test of the suite")
    assert other == OTHER


def test_what_another_test_reads_stays_a_note():
    (finding,) = weigh_unused([UNUSED], {KEY}, active_rules(), is_whole_suite=True)
    assert finding.severity is Severity.NOTE
    assert finding.message.endswith("here, though another test reads it")


@pytest.mark.parametrize("other", [("Order.labels", *KEY[1:]), (KEY[0], "shop/other.py", 12), (*KEY[:2], 13)])
def test_reads_elsewhere_do_not_count(other):
    (finding,) = weigh_unused([UNUSED], {other}, active_rules(), is_whole_suite=True)
    assert finding.severity is Severity.WARNING


def test_a_run_of_some_tests_knows_nothing_of_the_others():
    assert weigh_unused([UNUSED], set(), active_rules(), is_whole_suite=False) == [UNUSED]


def test_the_severity_of_the_configuration():
    rules = active_rules(tables={"unused-eager-load": {"severity": "error"}})
    (finding,) = weigh_unused([UNUSED], set(), rules, is_whole_suite=True)
    assert finding.severity is Severity.ERROR


def test_what_one_test_hides_is_not_told_beside_what_another_shows():
    shown = replace(UNUSED, rule="DBG101", subject="Order.customer", severity=Severity.ERROR)
    masked = replace(shown, rule="DBG108", severity=Severity.NOTE, tests=("tests/test_b.py::test_b",))
    elsewhere = replace(masked, site=replace(SITE, line=90))
    pool = FindingPool()
    pool.add([masked, elsewhere])
    pool.add([shown])
    assert pool.findings() == (shown, elsewhere)


def mapped(line, **changes):
    fix = Fix(MAPPED_FIX, 'items = relationship(..., lazy="select")')
    return replace(UNUSED, fix=fix, site=replace(SITE, line=line), **changes)


def test_what_a_mapping_loads_with_many_queries_is_one_finding():
    given = [mapped(line, tests=(f"test_a.py::test_{line}",)) for line in (14, 13, 15, 16, 17)]
    (finding,) = weigh_unused(given, set(), active_rules(), is_whole_suite=True)
    assert finding.severity is Severity.WARNING
    assert finding.site.line == 13
    assert finding.tests == tuple(f"test_a.py::test_{line}" for line in (13, 14, 15, 16, 17))
    queries = "shop/orders.py:14, shop/orders.py:15, shop/orders.py:16"
    assert finding.evidence == (f"so it is with the queries at {queries} and 1 more",)


def test_that_any_query_needs_what_a_mapping_loads_is_enough():
    findings = weigh_unused([mapped(13), mapped(14)], {("Order.items", "", 0)}, active_rules(), is_whole_suite=True)
    assert {finding.severity for finding in findings} == {Severity.NOTE}
