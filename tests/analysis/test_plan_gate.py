"""Plans of a run against those that are accepted: what is a regression, what is not, and what is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_dbguard.analysis.judge import ActiveRule
from pytest_dbguard.analysis.plan_gate import PlanGate
from pytest_dbguard.baseline.plans import PlanBasis, PlanKey, Plans
from pytest_dbguard.core.findings import Severity, Site
from pytest_dbguard.planning.lab.base import Rung
from pytest_dbguard.planning.statistics.model import Origin
from pytest_dbguard.rules.plan_regression import PlanOptions, PlanRegression
from pytest_dbguard.schema.catalog import Dialect
from tests.planning.assessments import SITE, assessment, statement, use
from tests.planning.plans import pg_node, pg_plan, pg_read, sqlite_plan

CONSTANT = "SELECT city FROM orders WHERE city = '{}'"
BY_CITY = "SELECT * FROM orders WHERE city = 'x'"


def indexed(cost=8.45, **others):
    return pg_plan(pg_read("Index Scan", "orders", Index_Name="ix", Index_Cond="(city = 1)", cost=cost, **others))


def scanned(cost=18334.5):
    return pg_plan(pg_read("Seq Scan", "orders", Filter="(city = 'MARKER'::text)", cost=cost))


def gate(accepted=None, *, keeps=False, severity=Severity.ERROR, **options):
    rule = ActiveRule(PlanRegression(PlanOptions(**options)), severity)
    return PlanGate(accepted or Plans(), rule, keeps=keeps, fit=lambda text: text[:20])


def accepted(*assessments):
    taking = gate(keeps=True)
    for each in assessments:
        taking.take(each)
    return taking.updated()


def regressions(before, now, **options):
    """What a run shows that plans `now` after `before` was accepted, each an assessment or a plan."""
    before, now = (each if hasattr(each, "statements") else assessment(statement(each)) for each in (before, now))
    judging = gate(accepted(before), **options)
    judging.take(now)
    return judging.regressions()


def test_what_is_written():
    plans = accepted(assessment(statement(indexed(cost=8.4512))))
    (entry,) = plans.entries
    assert entry.key == PlanKey("postgresql", "a")
    assert entry.tables == (("orders", 100_000),)
    assert entry.plan == ("index scan on orders using ix",)
    assert (entry.cost, entry.constants) == (8.45, "")
    assert plans.made_with == {"postgresql": PlanBasis("18", "forged", "default")}
    assert plans.texts == (("a", "SELECT city FROM ord"),)


def test_an_index_scan_that_became_a_sequential_scan():
    (finding,) = regressions(indexed(), assessment(statement(scanned()), indexes=()))
    assert (finding.rule, finding.name, finding.severity) == ("DBG903", "plan-regression", Severity.ERROR)
    assert finding.subject == "orders"
    assert finding.message == "index scan became sequential scan on `orders`: cost 8.45 -> 18,334"
    assert (finding.site, finding.tests, finding.count) == (SITE, ("tests/test_a.py::test_a",), 1)
    assert finding.basis == "modelled at 100,000 rows (default)"
    assert (
        finding.fix.title
        == "put the index `ix` of `orders` back, or accept the new plan with --dbguard-update-baseline"
    )
    assert finding.evidence == ("gone: index `ix` on `orders`",)
    assert [(line.mark.value, line.text) for line in finding.plan] == [
        ("", "before, cost 8.45:"),
        ("removed", "index scan on orders using ix"),
        ("", "now, cost 18,334:"),
        ("added", "sequential scan on orders"),
    ]
    assert "MARKER" not in repr(replace(finding, shape=None))


def test_the_severity_is_the_configured_one():
    judging = gate(accepted(assessment(statement(indexed()))), severity=Severity.WARNING)
    judging.take(assessment(statement(scanned())))
    assert [finding.severity for finding in judging.regressions()] == [Severity.WARNING]


def test_the_same_plan_that_costs_more():
    (finding,) = regressions(indexed(cost=200.0), indexed(cost=301.0))
    assert finding.message == "the plan of a statement on `orders` costs more than the accepted one: 200 -> 301"
    assert [line.text for line in finding.plan] == [
        "Index Scan using ix on orders (rows=1 cost=301)",
        "Index Cond: (city = ?)",
    ]
    assert finding.plan[0].mark.value == "hot"


SORTED = pg_plan(pg_node("Sort", pg_read("Seq Scan", "orders", cost=1000), cost=1100))
UNSORTED = pg_plan(pg_read("Index Scan", "orders", Index_Name="ix", cost=1000))
LOOPED = pg_plan(pg_node("Nested Loop", pg_read("Seq Scan", "orders"), pg_read("Seq Scan", "customers"), cost=900))
HASHED = pg_plan(pg_node("Hash Join", pg_read("Seq Scan", "orders"), pg_read("Seq Scan", "customers"), cost=800))
PRUNED = pg_plan(pg_node("Append", pg_read("Seq Scan", "orders", cost=900), cost=900))
MORE = pg_node("Append", pg_read("Seq Scan", "orders", cost=900), pg_read("Seq Scan", "more", cost=900), cost=1800)
SILENT = {
    "the cost grew by less than the factor": (indexed(cost=200), indexed(cost=299)),
    "the cost fell": (indexed(cost=200), indexed(cost=20)),
    "the plan is small": (indexed(cost=1), scanned(cost=99)),
    "another access that costs no more": (indexed(cost=500), scanned(cost=500)),
    "a join of another type": (HASHED, LOOPED),
    "a better plan": (scanned(), indexed()),
    "a shape that is not accepted": (assessment(statement(indexed(), shape="b")), scanned()),
    "a statement that could not be planned": (indexed(), assessment(statement(None))),
    "other sizes cost more": (indexed(cost=200), assessment(statement(indexed(cost=9000)), rows={"orders": 10**7})),
    "other statistics cost more": (indexed(cost=200), assessment(statement(indexed(cost=9000)), source="file")),
    "a newer planner": (indexed(), assessment(statement(scanned()), version="19.0")),
    "a weaker lab": (indexed(), assessment(statement(scanned()), rung=Rung.DENSITY)),
    "another value of a constant": (
        assessment(statement(indexed(), planned=CONSTANT.format("MARKER"))),
        assessment(statement(scanned(), planned=CONSTANT.format("OTHER"))),
    ),
    "a longer list": (
        assessment(statement(indexed(), text="SELECT 1 WHERE a IN (?)", planned="SELECT 1 WHERE a IN (?, ?)")),
        assessment(statement(scanned(), text="SELECT 1 WHERE a IN (?)", planned="SELECT 1 WHERE a IN (?, ?, ?)")),
    ),
}


@pytest.mark.parametrize("case", SILENT)
def test_silent(case):
    before, now = SILENT[case]
    assert regressions(before, now) == ()


FIRING = {
    "another table is read besides": (PRUNED, pg_plan(MORE)),
    "an index scan that became dearer as a sequential scan": (indexed(cost=500), scanned(cost=510)),
    "a sort appeared and costs more": (UNSORTED, SORTED),
    "the cost grew by more than the factor": (indexed(cost=200), indexed(cost=301)),
    "a minor version of the planner": (indexed(), assessment(statement(scanned()), version="18.7")),
    "a plan that is worse at other sizes": (indexed(), assessment(statement(scanned()), rows={"orders": 10**7})),
    "a plan that is worse with other statistics": (indexed(), assessment(statement(scanned()), source="file")),
    "the index is gone, whatever the planner": (indexed(), assessment(statement(scanned()), version="19", indexes=())),
    "the index is gone, whatever the constant": (
        assessment(statement(indexed(), planned=CONSTANT.format("MARKER"))),
        assessment(statement(scanned(), planned=CONSTANT.format("OTHER")), indexes=()),
    ),
}


@pytest.mark.parametrize("case", FIRING)
def test_firing(case):
    before, now = FIRING[case]
    assert [finding.rule for finding in regressions(before, now)] == ["DBG903"]


def test_costs_are_told_only_where_they_may_be_compared():
    (finding,) = regressions(indexed(), assessment(statement(scanned()), rows={"orders": 10**7}))
    assert finding.message == "index scan became sequential scan on `orders`"
    assert [line.text for line in finding.plan if line.depth == 0] == ["before:", "now:"]


def test_options():
    before, now = indexed(cost=8), scanned(cost=16)
    assert regressions(before, now) == ()
    assert len(regressions(before, now, min_cost=10)) == 1
    assert len(regressions(indexed(cost=200), indexed(cost=240), factor=1.1)) == 1
    assert regressions(indexed(cost=200), indexed(cost=990), factor=5) == ()


def sqlite(*indexes, **others):
    plan = sqlite_plan(BY_CITY, *indexes)
    others = {"version": "3.40.1", "rung": Rung.STATISTICS} | others
    return assessment(statement(plan), dialect=Dialect.SQLITE, **others)


def test_sqlite_has_no_costs():
    before = sqlite("ix ON orders (city)")
    (finding,) = regressions(before, sqlite(indexes=()))
    assert finding.message == "index scan became sequential scan on `orders`"
    assert accepted(before).made_with["sqlite"].version == "3.40"


def test_small_tables_of_sqlite_may_be_scanned():
    before, now = (sqlite(*indexes, rows={"orders": 499}) for indexes in (["ix ON orders (city)"], []))
    assert regressions(before, now) == ()


def test_a_plan_is_compared_with_that_of_its_own_database():
    judging = gate(accepted(assessment(statement(indexed())), sqlite()))
    judging.take(sqlite())
    assert judging.regressions() == ()


def test_where_schemas_differ_each_plan_is_accepted():
    both = accepted(assessment(statement(indexed())), assessment(statement(scanned(cost=9000))))
    assert len(both.entries) == 2
    judging = gate(both)
    judging.take(assessment(statement(scanned(cost=9000))))
    judging.take(assessment(statement(indexed())))
    assert judging.regressions() == ()
    judging.take(assessment(statement(SORTED)))
    assert judging.regressions() == ()


def test_of_several_plans_the_dearest_is_told_once():
    judging = gate(accepted(assessment(statement(indexed()))))
    judging.take(assessment(statement(scanned(cost=500))))
    judging.take(assessment(statement(scanned(cost=700))))
    (finding,) = judging.regressions()
    assert finding.message.endswith("8.45 -> 700")


def test_the_application_is_named_before_tests():
    in_test = use(Site("tests/test_a.py", 9, in_test_code=True), "t.py::b", count=9, in_test_code=True)
    other = use(Site("shop/report.py", 3), "t.py::c")
    now = assessment(statement(scanned(), in_test, use(), other))
    (finding,) = regressions(indexed(), now)
    assert (finding.site, finding.in_test_code, finding.count) == (SITE, False, 11)
    assert finding.tests == ("t.py::b", "t.py::c", "tests/test_a.py::test_a")
    assert finding.evidence == ("also run at shop/report.py:3, tests/test_a.py:9",)


def test_what_only_tests_run_is_about_tests():
    now = assessment(statement(scanned(), use(Site("t.py", 9, in_test_code=True), in_test_code=True)))
    assert [finding.in_test_code for finding in regressions(indexed(), now)] == [True]


def test_production_statistics_prove():
    file = {"origin": Origin.PRODUCTION, "source": "dbguard-stats.json of 2026-11-01", "taken_at": "2026-11-01"}
    before, now = (assessment(statement(plan), **file) for plan in (indexed(), scanned()))
    assert [each.basis for each in regressions(before, now)] == ["proven (statistics of 2026-11-01, 100,000 rows)"]


def told(before, now):
    judging = gate(accepted(before))
    judging.take(now)
    judging.take(now)
    return judging.told()


def test_another_planner_is_told_once():
    now = assessment(statement(indexed()), version="15.3", rung=Rung.DENSITY)
    assert told(assessment(statement(indexed())), now) == (
        "dbguard: the plans in the baseline are of postgresql 18, sizes forged, statistics default; this run planned "
        "with 15, sizes density, statistics default: only plans that lost their index are reported",
    )


def test_other_statistics_are_told_where_there_are_costs():
    (line,) = told(assessment(statement(indexed())), assessment(statement(indexed()), source="dbguard-stats.json"))
    assert line.endswith("18, sizes forged, statistics dbguard-stats.json: costs are not compared")
    assert told(sqlite(), sqlite(source="dbguard-stats.json")) == ()
    assert len(told(sqlite(), sqlite(version="3.50.2"))) == 1
    assert gate().told() == ()


def test_shapes_that_did_not_run_stay_and_are_gone_after_a_full_run():
    before = accepted(
        assessment(statement(indexed()), statement(indexed(), shape="b"), statement(indexed(), shape="c"))
    )
    updating = gate(before, keeps=True)
    updating.take(assessment(statement(scanned()), statement(None, shape="b")))
    after = updating.updated()
    assert [(entry.key.shape, entry.plan[0]) for entry in after.entries] == [
        ("a", "sequential scan on orders"),
        ("b", "index scan on orders using ix"),
        ("c", "index scan on orders using ix"),
    ]
    assert updating.gone() == {PlanKey("postgresql", "c")}


def test_without_a_planner_nothing_is_judged_and_nothing_written():
    judging = gate(accepted(assessment(statement(indexed()))), keeps=True)
    judging.take(replace(assessment(statement(scanned())), lab=None))
    assert judging.regressions() == ()
    assert judging.told() == ()
    assert judging.updated() == accepted(assessment(statement(indexed())))


def test_without_the_rule_plans_are_written_all_the_same():
    judging = PlanGate(accepted(assessment(statement(indexed()))), None, keeps=True)
    judging.take(assessment(statement(scanned())))
    assert judging.regressions() == ()
    assert judging.updated().entries[0].plan == ("sequential scan on orders",)


def test_the_hash_of_constants_tells_no_value_and_differs_with_each():
    plans = [
        accepted(assessment(statement(indexed(), planned=CONSTANT.format(value))))
        for value in ("MARKER", "MARKER", "OTHER")
    ]
    first, same, other = (each.entries[0].constants for each in plans)
    assert first == same != other
    assert len(first) == 4


INSERTED = pg_plan(pg_node("ModifyTable", pg_node("Result"), Operation="Insert", Relation_Name="orders"))


@pytest.mark.parametrize(
    "plan", [INSERTED, sqlite_plan("INSERT INTO orders (city) VALUES ('x')"), sqlite_plan("SELECT 1")]
)
def test_what_can_be_done_in_one_way_only_is_not_written(plan):
    assert accepted(assessment(statement(plan))) == Plans()
