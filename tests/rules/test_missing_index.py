"""DBG201: what is said of an index that a filter needs, how much it weighs, and what to paste."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assessments import STATIC, assessment, judged, plan, statement, use, verdict, want

from pytest_dbguard.core.findings import PlanMark, Severity, Site
from pytest_dbguard.planning.assessment import Basis, Purpose
from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.planning.statistics.model import Origin
from pytest_dbguard.rules.base import RuleOptions
from pytest_dbguard.rules.missing_index import MissingIndex
from pytest_dbguard.sql.facts.model import Scan, Written

SUBPLAN = Node(Access.SUBPLAN, "CORRELATED SCALAR SUBQUERY", children=(plan().root,))
PER_ROW = Plan(Node(Access.SEQUENTIAL, "SCAN customer", table="customer", children=(SUBPLAN,)), 9e9)
SCAN = Node(Access.SEQUENTIAL, "Seq Scan on orders", table="orders", alias="orders_1", total_cost=9.0)
RECURSION = Plan(Node(Access.OTHER, "Append", children=(plan(Access.INDEX).root, SCAN)), 9e9)
PARTITIONS = Plan(Node(Access.OTHER, "Append", children=(replace(SCAN, table="orders_2025"),)), 9e9)
UPDATE = Plan(Node(Access.OTHER, "Update on orders", table="orders", alias="orders", children=(plan().root,)), 2137.0)


def found(*pairs, **more):
    return judged(MissingIndex, statement(*pairs, **more))


def message(*pairs, **more):
    [finding] = found(*pairs, **more)
    return finding.message


def test_what_it_says():
    [finding] = found((want("city"), verdict(pays_from_rows=360)))
    assert finding.rule == "DBG201"
    assert finding.subject == "orders.city"
    assert finding.message == "no index serves `orders.city`: each execution reads all 100,000 rows"
    assert finding.basis == "modelled at 100,000 rows (default)"
    assert finding.evidence[:2] == (
        "cost 2,137 -> 8.50 with the index",
        "the index takes about 2.1 MB and pays from about 360 rows",
    )
    assert finding.severity is Severity.ERROR
    assert [line.mark for line in finding.plan] == [PlanMark.HOT]
    assert {remedy.kind for remedy in finding.remedies} == {"sql", "sqlalchemy", "alembic"}
    assert "CREATE INDEX" in finding.remedies[0].code
    assert finding.fix.code == next(each.code for each in finding.remedies if each.kind == "sqlalchemy")


def test_what_does_not_help_is_not_told():
    assert found((want("city"), verdict(helps=False))) == []


@pytest.mark.parametrize("purpose", [Purpose.JOIN, Purpose.SORT])
def test_what_is_for_something_else_is_told_by_others(purpose):
    assert found((want("city", purpose=purpose), verdict())) == []


def test_one_at_each_place():
    other = Site("shop/pages.py", 3)
    uses = (use(count=5, tests=("t::a", "t::b")), use(other, in_test_code=True, scope="GET /orders"))
    first, second = found((want("city"), verdict()), uses=uses)
    assert (first.site.line, first.count, first.tests, first.in_test_code) == (12, 5, ("t::a", "t::b"), False)
    assert (second.site, second.in_test_code, second.scope) == (other, True, "GET /orders")
    assert first.shape.id == second.shape.id == "s1"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((want("city"), verdict(basis=Basis.PROVEN)), Severity.ERROR),
        ((want("city"), verdict()), Severity.ERROR),
        ((want("city", is_range_only=True), verdict()), Severity.WARNING),
        ((want("city", is_range_only=True), verdict(basis=Basis.PROVEN)), Severity.ERROR),
        ((want("city", is_range_only=True), verdict(basis=Basis.PROVEN, is_assumed=True)), Severity.WARNING),
        ((want("city"), STATIC), Severity.WARNING),
    ],
)
def test_how_much_it_weighs(given, expected):
    [finding] = found(given)
    assert finding.severity is expected


@pytest.mark.parametrize(
    ("scan", "before", "words"),
    [
        (Scan("orders", "orders", has_limit=True), plan(), "an execution may read all 100,000 rows"),
        (Scan("orders", "orders", is_once=True), PER_ROW, "each row of the outer query reads all 100,000 rows"),
        (Scan("orders", "orders", is_once=True), plan(), "each execution reads all 100,000 rows"),
        (Scan("orders", "orders"), PARTITIONS, "each execution reads whole partitions"),
        (Scan("orders", "orders"), RECURSION, "each execution reads all 100,000 rows"),
        (Scan("orders", "orders", is_written=True), UPDATE, "each execution reads all 100,000 rows"),
        (Scan("orders", "orders"), plan(Access.AUTOMATIC_INDEX), "builds a temporary index of all 100,000 rows"),
        (Scan("orders", "orders"), plan(Access.INDEX, cost=100.0), "with one it costs 8% of what it costs now"),
        (Scan("orders", "orders"), plan(Access.BITMAP, cost=9e9), "with one it costs under 1%"),
    ],
)
def test_what_an_execution_does_is_what_the_plan_says(scan, before, words):
    assert words in message((want("city"), verdict(before, cost_before=before.cost)), scan=scan)


def test_without_a_planner():
    [finding] = judged(MissingIndex, statement((want("city"), STATIC)), lab=None, no_lab="no server")
    assert finding.message == "no index serves `orders.city`: each execution reads the whole table"
    assert (finding.basis, finding.plan, finding.evidence) == ("static (no server)", (), ())


def test_production():
    given = statement((want("city"), verdict(basis=Basis.PROVEN, rows=12_400_000.0)))
    [finding] = judged(MissingIndex, given, origin=Origin.PRODUCTION, taken_at="2026-11-01", source="file")
    assert finding.basis == "proven (statistics of 2026-11-01, 12,400,000 rows)"
    assert "reads all 12,400,000 rows" in finding.message


def test_a_narrow_range_is_not_proven():
    said = verdict(basis=Basis.PROVEN, rows=12_400_000.0, is_assumed=True)
    [finding] = judged(MissingIndex, statement((want("city", is_range_only=True), said)), origin=Origin.PRODUCTION)
    assert (finding.basis, finding.severity) == ("modelled at 12,400,000 rows (production)", Severity.WARNING)


def test_declared():
    [finding] = judged(MissingIndex, statement((want("city"), verdict())), origin=Origin.DECLARED)
    assert finding.basis == "modelled at 100,000 rows (declared)"


def test_an_or_is_one_finding_with_all_its_indexes():
    pair = [(want(name, group=1, alternative=True), verdict()) for name in ("city", "name")]
    [finding] = found(*pair)
    assert finding.subject == "orders.city"
    assert finding.message.startswith("an OR of `orders.city` and `orders.name` needs an index on each: ")
    assert finding.remedies[0].code.count("CREATE INDEX") == 2


def test_two_scans_are_two_findings():
    assert [each.subject for each in found((want("city"), verdict()), (want("name"), verdict()))] == [
        "orders.city",
        "orders.name",
    ]


def test_a_wider_index_is_what_to_make_but_not_what_it_is_about():
    wide = want("city", "name").spec
    [finding] = found((want("city"), verdict(wider=wide)))
    assert finding.subject == "orders.city"
    assert "city" in finding.remedies[0].code
    assert "name" in finding.remedies[0].code
    assert any("serves other statements" in line for line in finding.evidence)


def test_a_narrow_range():
    [finding] = found((want("city", is_range_only=True), verdict(is_assumed=True)))
    assert finding.message == (
        "no index serves a range of `orders.city`: each execution reads all 100,000 rows, even for few of them"
    )
    assert finding.evidence[0] == "cost of a narrow range 2,137 -> 8.50 with the index"


def test_what_writes_pay():
    reads = statement((want("city"), verdict()))
    writes = [
        statement(written=(Written("INSERT", "orders"),)),
        statement(written=(Written("UPDATE", "orders", columns=frozenset({"city"})),)),
        statement(written=(Written("UPDATE", "orders", columns=frozenset({"name"})),)),
        statement(written=(Written("INSERT", "customer"),)),
    ]
    [finding] = list(MissingIndex(RuleOptions()).judge(assessment(reads, *writes)))
    assert finding.evidence[-1] == (
        "each INSERT, and each UPDATE of its columns, writes one more index entry; 2 statements of this run do"
    )


def test_no_literals():
    [finding] = found((want("city"), verdict()))
    assert "'" not in finding.message


def test_it_is_silent_of_single_recordings():
    assert tuple(MissingIndex(RuleOptions()).check(None, None)) == ()
