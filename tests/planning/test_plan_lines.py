"""Plans are shown with their costly node, two of them with what changed."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.findings import PlanLine, PlanMark
from pytest_dbguard.planning.plan_lines import figure, hot_node, plan_lines, two_trees
from tests.planning.plans import pg_node, pg_plan, pg_read, sqlite_plan


def drawn(lines):
    return [f"{line.mark.value or '-'} {'  ' * line.depth}{line.text}" for line in lines]


JOIN = pg_node(
    "Sort",
    pg_node(
        "Hash Join",
        pg_read("Seq Scan", "orders", cost=18334.5, rows=100000, Filter="(city = 'x'::text)"),
        pg_node("Hash", pg_read("Seq Scan", "customers", cost=20.25, rows=7), cost=20.25, rows=7),
        cost=18400,
        rows=30,
        Hash_Cond="(o.customer_id = c.id)",
        Join_Type="Inner",
    ),
    cost=18401,
    rows=30,
    Sort_Key=["orders.at DESC", "(1 + orders.id)"],
)


def test_a_plan_of_postgres():
    plan = pg_plan(JOIN)
    assert drawn(plan_lines(plan, hot_node(plan))) == [
        "- Sort (rows=30 cost=18,401)",
        "-   Sort Key: orders.at DESC, (? + orders.id)",
        "-   -> Hash Join (rows=30 cost=18,400)",
        "-     Hash Cond: (o.customer_id = c.id)",
        "hot     -> Seq Scan on orders (rows=100,000 cost=18,334)",
        "-       Filter: (city = ?)",
        "-     -> Hash (rows=7 cost=20.25)",
        "-       -> Seq Scan on customers (rows=7 cost=20.25)",
    ]


def test_a_plan_of_sqlite():
    plan = sqlite_plan("SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.note")
    assert drawn(plan_lines(plan, hot_node(plan))) == [
        "hot SCAN o",
        "- SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
        "- USE TEMP B-TREE FOR ORDER BY",
    ]


def test_a_candidate_is_shown_by_the_name_that_people_will_give_it():
    plan = pg_plan(pg_read("Index Scan", "orders", Index_Name="lab_7", cost=8.25))
    (line,) = plan_lines(plan, names={"lab_7": "ix_orders_city"})
    assert line == PlanLine(0, "Index Scan using ix_orders_city on orders (rows=1 cost=8.25)")


SCAN = pg_read("Seq Scan", "orders", cost=1000, rows=50)
SMALL = pg_read("Seq Scan", "customers", cost=90, rows=5)
HOT = {
    "the scan below a node that costs little": (pg_node("Aggregate", SCAN, cost=1001), "Seq Scan on orders"),
    "a sort that costs more than what it reads": (pg_node("Sort", SCAN, cost=2500), "Sort"),
    "an inner side counts as often as it runs": (
        pg_node("Nested Loop", SCAN, SMALL, cost=5600, Join_Type="Inner"),
        "Seq Scan on customers",
    ),
    "an inner side that is kept does not": (
        pg_node("Nested Loop", SCAN, pg_node("Materialize", SMALL, cost=91, rows=5), cost=1100),
        "Seq Scan on orders",
    ),
    "a limit stops what is below it": (
        pg_node("Limit", pg_node("Nested Loop", SCAN, SMALL, cost=5600), cost=10),
        "Seq Scan on customers",
    ),
    "a subplan that runs for each row": (
        pg_read(
            "Seq Scan",
            "customers",
            cost=50100,
            rows=500,
            Plans=[{**SCAN, "Total Cost": 100, "Subplan Name": "SubPlan 1", "Parent Relationship": "SubPlan"}],
        ),
        "Seq Scan on orders",
    ),
    "a hashed subplan runs once": (
        pg_read(
            "Seq Scan",
            "customers",
            cost=50100,
            rows=500,
            Filter="(hashed SubPlan 1)",
            Plans=[{**SCAN, "Total Cost": 100, "Subplan Name": "SubPlan 1", "Parent Relationship": "SubPlan"}],
        ),
        "Seq Scan on customers",
    ),
    "a hashed subplan runs once in a loop too": (
        pg_node(
            "Nested Loop",
            pg_read("Seq Scan", "customers", cost=900, rows=2000),
            pg_read(
                "Index Scan",
                "items",
                cost=84,
                Index_Name="ix",
                Filter="(NOT (ANY (id = (hashed SubPlan 1).col1)))",
                Plans=[{**SCAN, "Total Cost": 80, "Subplan Name": "SubPlan 1", "Parent Relationship": "SubPlan"}],
            ),
            cost=168_900,
        ),
        "Index Scan using ix on items",
    ),
}


@pytest.mark.parametrize("case", HOT)
def test_the_hot_node_of_postgres(case):
    plan, expected = HOT[case]
    assert hot_node(pg_plan(plan)).text == expected


SIZES = {"orders": 9_000_000, "customers": 7_000_000}
HOT_SQLITE = {
    "SELECT * FROM customers c CROSS JOIN orders o": "SCAN o",
    "SELECT * FROM customers c, orders o WHERE o.note = c.name": "SEARCH o USING AUTOMATIC COVERING INDEX (note=?)",
    "SELECT DISTINCT region FROM customers WHERE id > 5": "USE TEMP B-TREE FOR DISTINCT",
    "SELECT * FROM customers WHERE id = 5": None,
}


@pytest.mark.parametrize("sql", HOT_SQLITE)
def test_the_hot_node_of_sqlite(sql):
    hot = hot_node(sqlite_plan(sql), lambda table: SIZES[table])
    assert (hot and hot.text) == HOT_SQLITE[sql]


def test_two_trees_mark_what_only_one_has():
    before = ("nested loop", "  index scan on orders using ix", "  index scan on customers")
    now = ("sort", "  nested loop", "    sequential scan on orders", "    index scan on customers")
    assert drawn(two_trees(before, now, before_cost=8.25, now_cost=18334.4)) == [
        "- before, cost 8.25:",
        "-   nested loop",
        "removed     index scan on orders using ix",
        "-     index scan on customers",
        "- now, cost 18,334:",
        "added   sort",
        "-     nested loop",
        "added       sequential scan on orders",
        "-       index scan on customers",
    ]


def test_two_trees_without_costs():
    assert [line.text for line in two_trees(("a",), ("b",))] == ["before:", "a", "now:", "b"]
    assert {line.mark for line in two_trees(("a",), ("a",))} == {PlanMark.NONE}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (7, "7"), (8.449, "8.45"), (99.9, "99.90"), (100.4, "100"), (18334.5, "18,334"), (1e6, "1,000,000")],
)
def test_figures(value, text):
    assert figure(value) == text
