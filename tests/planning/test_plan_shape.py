"""Shapes say what is read how, and nothing that sizes, aliases or literals change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.planning.plan_shape import ShapeNode, plan_shape, shape_nodes
from tests.planning.plans import pg_node, pg_plan, pg_read, sqlite_plan

SQLITE = {
    "SELECT * FROM orders WHERE note = 'x'": ["sequential scan on orders"],
    "SELECT * FROM orders AS o WHERE city = 'x'": ["index scan on orders using ix_city"],
    "SELECT * FROM orders WHERE id = 5": ["index scan on orders"],
    "SELECT city FROM orders": ["full index-only scan on orders using ix_city"],
    "SELECT min(city) FROM orders": ["index-only scan on orders using ix_city"],
    "SELECT * FROM orders ORDER BY note": ["sequential scan on orders", "sort"],
    "SELECT count(*) FROM (SELECT DISTINCT note FROM orders LIMIT 5) AS anon_1": [
        "co-routine",
        "  sequential scan on orders",
        "  temporary",
        "scan",
    ],
    "SELECT * FROM orders WHERE city = 'x' OR id = 5": [
        "multi-index or",
        "  index",
        "    index scan on orders using ix_city",
        "  index",
        "    index scan on orders",
    ],
    "SELECT * FROM orders o JOIN customers c ON c.name = o.note": [
        "sequential scan on orders",
        "automatic index on customers",
    ],
}


@pytest.mark.parametrize("sql", SQLITE)
def test_shapes_of_sqlite(sql):
    assert list(plan_shape(sqlite_plan(sql, "ix_city ON orders (city)"))) == SQLITE[sql]


def test_shape_of_postgres():
    join = pg_node(
        "Hash Join",
        pg_read("Seq Scan", "orders", Alias="anon_1", Filter="(city = 'x'::text)"),
        pg_node(
            "Hash",
            pg_node(
                "Bitmap Heap Scan",
                pg_node("Bitmap Index Scan", Index_Name="ix", Index_Cond="(a = 1)"),
                Relation_Name="customers",
                Schema="shop",
                Alias="anon_2",
            ),
        ),
        Join_Type="Left",
    )
    assert plan_shape(pg_plan(pg_node("Limit", pg_node("Subquery Scan", join, Alias="anon_3")))) == (
        "limit",
        "  subquery scan",
        "    hash join",
        "      sequential scan on orders",
        "      hash",
        "        bitmap scan on shop.customers",
        "          bitmap scan using ix",
    )


def test_costs_rows_and_literals_change_nothing():
    one = pg_read("Seq Scan", "orders", cost=10, rows=5, Alias="orders_1", Filter="(id = 1)")
    other = pg_read("Seq Scan", "orders", cost=99, rows=7, Alias="orders_2", Filter="(id = 2)")
    assert plan_shape(pg_plan(one)) == plan_shape(pg_plan(other))


def test_a_shape_is_read_again():
    shape = ("sort", "  full index-only scan on shop.orders using ix_city", '    bitmap scan using "odd using name"')
    assert shape_nodes(shape) == (
        ShapeNode(0, "sort", "sort"),
        ShapeNode(
            1,
            "full index-only scan on shop.orders using ix_city",
            "index-only scan",
            is_full=True,
            table="shop.orders",
            index="ix_city",
        ),
        ShapeNode(2, 'bitmap scan using "odd using name"', "bitmap scan", index="odd using name"),
    )


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2))
def test_any_name_survives(names):
    table, index = names
    plan = Plan(Node(Access.INDEX, "Index Scan", table=table, index=index, condition=(("Index Cond", "x"),)))
    (node,) = shape_nodes(plan_shape(plan))
    assert (node.table, node.index, node.what) == (table, index, "index scan")


@given(st.lists(st.text()))
def test_any_line_of_a_file_is_understood(lines):
    assert len(shape_nodes(tuple(lines))) == len(lines)
