"""DBG305: what costs much is told, unless an index would help or a LIMIT stops it."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.assessment import Basis, Purpose, Verdict, Wanted
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.statistics.model import Origin
from pytest_dbguard.rules.costly_plan import CostlyPlan, CostlyPlanOptions
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.sql.facts.model import Scan, StatementFacts
from tests.planning.assessments import SITE, assessment, statement
from tests.planning.plans import pg_node, pg_plan, pg_read, sqlite_plan

KNOWN = {"origin": Origin.PRODUCTION, "source": "dbguard-stats.json", "taken_at": "2026-11-01"}
BIG = {**KNOWN, "rows": {"orders": 12_400_000}}
SPEC = IndexSpec("", "orders", ("city",), ("city",))


def findings(plan, *, facts=None, wanted=(), options=None, **others):
    judged = assessment(statement(plan, facts=facts, wanted=wanted), **others)
    return list(CostlyPlan(CostlyPlanOptions(**(options or {}))).judge(judged))


def scan(table="orders", **others):
    return pg_read("Seq Scan", table, Filter="(city <> 'MARKER'::text)", **others)


def test_a_whole_table_is_read():
    (finding,) = findings(pg_plan(scan(cost=250_000, rows=9_000_000)), **BIG)
    assert (finding.rule, finding.subject, finding.site) == ("DBG305", "orders", SITE)
    assert finding.message == "reads all 12,400,000 rows of `orders`"
    assert finding.basis == "proven (statistics of 2026-11-01, 12,400,000 rows)"
    assert [(line.mark.value, line.text) for line in finding.plan] == [
        ("hot", "Seq Scan on orders (rows=9,000,000 cost=250,000)"),
        ("", "Filter: (city <> ?)"),
    ]


def test_a_plan_is_dear():
    loop = pg_node("Nested Loop", scan(cost=2500, rows=90_000), scan("customers", cost=2000, rows=3), cost=180_000_000)
    (finding,) = findings(pg_plan(loop))
    assert finding.message == "a statement on `customers` costs 180,000,000 in the planner's unit"
    assert finding.basis == "modelled at 100,000 rows (default)"
    assert [line.text.partition(" (")[0] for line in finding.plan if line.mark.value] == ["-> Seq Scan on customers"]


def test_many_rows_by_an_index():
    index = pg_read("Index Scan", "orders", Index_Name="ix", Index_Cond="(at > 1)", cost=90_000, rows=2_000_000)
    assert [each.message for each in findings(pg_plan(index))] == ["reads about 2,000,000 rows of `orders`"]


def test_a_sort_that_does_not_fit_into_memory():
    sort = pg_node("Sort", scan(cost=2500, rows=90_000), cost=9000, rows=90_000, Plan_Width=100)
    (finding,) = findings(pg_plan(sort), **KNOWN)
    assert finding.message == "sorts about 11 MB of `orders`, more than the 4.0 MB that it may keep in memory"
    assert findings(pg_plan(sort), **KNOWN, settings={"work_mem": "64MB"}) == []


def test_a_hash_that_does_not_fit_into_memory():
    hashed = pg_node("Hash", scan("customers", cost=2500), cost=2500, rows=90_000, Plan_Width=100)
    (finding,) = findings(pg_plan(pg_node("Hash Join", scan(cost=2500), hashed, cost=9000)), **KNOWN)
    assert finding.message.startswith("hashes about 11 MB of `customers`, more than the 8.0 MB")


def test_several_reasons_are_one_finding():
    sort = pg_node("Sort", scan(cost=600_000, rows=9_000_000), cost=900_000, rows=9_000_000, Plan_Width=100)
    (finding,) = findings(pg_plan(sort), **BIG)
    assert finding.message == "a statement on `orders` costs 900,000 in the planner's unit"
    assert [text.split(" of ")[0] for text in finding.evidence] == ["reads all 12,400,000 rows", "sorts about 1.1 GB"]


SORT = pg_node("Sort", scan(cost=2500, rows=90_000), cost=9000, rows=90_000, Plan_Width=100)
SILENT = {
    "a limit stops the scan": (pg_node("Limit", scan(cost=250_000), cost=3), BIG),
    "a limit keeps the sort small": (pg_node("Limit", SORT, cost=9000), KNOWN),
    "nobody told how many rows there are": (SORT, {}),
    "an index finds few rows": (pg_read("Index Scan", "orders", Index_Name="ix", Index_Cond="(a)", rows=9), BIG),
    "a small table": (scan(cost=2500), {}),
}


@pytest.mark.parametrize("case", SILENT)
def test_silent(case):
    plan, others = SILENT[case]
    assert findings(pg_plan(plan), **others) == []


def verdict(*, helps):
    return ((Wanted(SPEC, Purpose.FILTER, "orders"), Verdict(helps, Basis.MODELLED)),)


def test_what_an_index_helps_is_for_the_rules_about_indexes():
    plan = pg_plan(scan(cost=250_000))
    assert findings(plan, wanted=verdict(helps=True), **BIG) == []
    assert len(findings(plan, wanted=verdict(helps=False), **BIG)) == 1


def test_without_a_plan_nothing_is_said():
    assert findings(None, **BIG) == []


SQLITE = {"dialect": Dialect.SQLITE, **BIG}
LIMITED = StatementFacts(scans=(Scan("o", "orders", has_limit=True),))


def test_sqlite_tells_no_costs_and_no_limit():
    plan = sqlite_plan("SELECT * FROM orders o")
    assert [each.message for each in findings(plan, **SQLITE)] == ["reads all 12,400,000 rows of `orders`"]
    assert findings(plan, facts=LIMITED, **SQLITE) == []


def test_what_sqlite_sorts_is_read_whole_before_a_limit():
    plan = sqlite_plan("SELECT * FROM orders o ORDER BY note")
    assert len(findings(plan, facts=LIMITED, **SQLITE)) == 1


def test_a_statement_without_a_table():
    (finding,) = findings(pg_plan(pg_node("Function Scan", cost=10**8, Function_Name="generate_series", Alias="g")))
    assert finding.message == "a statement without a table costs 100,000,000 in the planner's unit"
    assert (finding.subject, finding.basis) == ("Function Scan on generate_series g", "")


def test_options():
    plan = pg_plan(scan(cost=2500))
    assert len(findings(plan, options={"max_cost": 2000})) == 1
    assert len(findings(plan, options={"max_rows": 99_999})) == 1
    assert findings(plan, options={"max_rows": 100_000}) == []
