"""What became worse between two plans is told from what only differs."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.plan_changes import compare
from pytest_dbguard.planning.plan_shape import plan_shape
from tests.planning.plans import pg_node, pg_plan, pg_read, sqlite_plan

CITY, NOTE = "ix_city ON orders (city)", "ix_note ON orders (note)"
CUSTOMER, REGION = "ix_customer ON orders (customer_id)", "ix_region ON customers (region)"
BOTH = "SELECT * FROM orders o JOIN customers c ON o.customer_id = c.region"

SQLITE = {
    "the index is gone": (
        "SELECT * FROM orders WHERE city = 'x'",
        [CITY],
        [],
        ["! index scan became sequential scan on `orders`"],
    ),
    "the index is wider": (
        "SELECT * FROM orders WHERE city = 'x'",
        [CITY],
        ["ix_wide ON orders (city, note)"],
        ["index `ix_city` became `ix_wide` on `orders`"],
    ),
    "the index that sorted is gone": ("SELECT * FROM orders ORDER BY city", [CITY], [], ["! a sort appeared"]),
    "the index that grouped is gone": (
        "SELECT city, count(*) FROM orders GROUP BY city",
        [CITY],
        [],
        ["! a temporary appeared"],
    ),
    "the index cannot search any more": (
        "SELECT city FROM orders WHERE city = 'x'",
        [CITY],
        ["ix_other ON orders (note, city)"],
        [
            "! an index scan by a key became one of all entries on `orders`",
            "index `ix_city` became `ix_other` on `orders`",
        ],
    ),
    "the join index is gone": (
        "SELECT * FROM customers c LEFT JOIN orders o ON o.customer_id = c.id",
        [CUSTOMER],
        [],
        ["! index scan became automatic index on `orders`"],
    ),
    "the order of a join changed": (
        BOTH,
        [CUSTOMER],
        [REGION],
        [
            "sequential scan became index scan on `customers`",
            "index scan became sequential scan on `orders`",
        ],
    ),
    "it is better now": (
        "SELECT * FROM orders WHERE city = 'x'",
        [],
        [CITY],
        ["sequential scan became index scan on `orders`"],
    ),
    "nothing changed": ("SELECT * FROM orders WHERE city = 'x'", [CITY], [CITY, NOTE], []),
}


@pytest.mark.parametrize("case", SQLITE)
def test_changes_in_sqlite(case):
    sql, before, now, expected = SQLITE[case]
    changes = compare(plan_shape(sqlite_plan(sql, *before)), sqlite_plan(sql, *now))
    assert [f"{'! ' * change.is_worse}{change.text}" for change in changes.changes] == expected
    assert [change.text for change in changes.worse] == [text[2:] for text in expected if text[0] == "!"]


SCAN = pg_read("Seq Scan", "orders")
INDEX = pg_read("Index Scan", "orders", Index_Name="ix", Index_Cond="(a = 1)")
PARENT = pg_read("Seq Scan", "customers")

POSTGRES = {
    "a bitmap is an index scan too": (
        pg_node("Bitmap Heap Scan", pg_node("Bitmap Index Scan", Index_Name="ix"), Relation_Name="orders"),
        SCAN,
        ["! bitmap scan became sequential scan on `orders`"],
    ),
    "from a key to a bitmap": (
        INDEX,
        pg_node("Bitmap Heap Scan", pg_node("Bitmap Index Scan", Index_Name="ix"), Relation_Name="orders"),
        [],
    ),
    "a sort": (SCAN, pg_node("Sort", SCAN), ["! a sort appeared"]),
    "a kept inner side is for the cost to judge": (
        pg_node("Nested Loop", SCAN, PARENT),
        pg_node("Nested Loop", SCAN, pg_node("Materialize", PARENT)),
        ["a temporary appeared"],
    ),
    "a join of another type": (
        pg_node("Hash Join", SCAN, pg_node("Hash", PARENT)),
        pg_node("Nested Loop", SCAN, PARENT),
        ["hash join became nested loop"],
    ),
    "a scan in parallel is the same scan": (SCAN, pg_node("Gather", SCAN), []),
}


@pytest.mark.parametrize("case", POSTGRES)
def test_changes_in_postgres(case):
    before, now, expected = POSTGRES[case]
    changes = compare(plan_shape(pg_plan(before)), pg_plan(now))
    assert [f"{'! ' * change.is_worse}{change.text}" for change in changes.changes] == expected


def test_worse_changes_tell_the_tables_that_are_read_otherwise():
    sql = "SELECT * FROM orders WHERE city = 'x' ORDER BY note"
    changes = compare(plan_shape(sqlite_plan(sql, "ix ON orders (city, note)")), sqlite_plan(sql))
    assert len(changes.worse) == 2
    assert changes.worse_tables == {"orders"}
