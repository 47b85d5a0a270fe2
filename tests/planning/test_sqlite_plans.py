"""What SQLite says of its plans becomes a tree that names tables and holds no literal."""

from __future__ import annotations

import sqlite3

import pytest

from pytest_dbguard.planning.plan import Access
from pytest_dbguard.planning.sqlite_plans import ROOT, parse_sqlite, tables_by_alias

SCHEMA = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, city TEXT, customer_id INT, note TEXT);
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, region INT);
CREATE TABLE parts (a TEXT, b TEXT, c INT, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE "odd USING name" (x INT, "y z" INT);
CREATE INDEX ix_city ON orders (city);
CREATE INDEX ix_customer ON orders (customer_id);
CREATE INDEX ix_lower ON orders (lower(note));
CREATE INDEX "ix AS odd" ON "odd USING name" ("y z");
CREATE VIRTUAL TABLE pages USING fts5(body);
CREATE VIEW sales AS SELECT o.id, o.city, c.name FROM orders o JOIN customers c ON c.id = o.customer_id;
"""


@pytest.fixture(scope="module")
def explain():
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    yield lambda sql: parse_sqlite(connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall(), sql)
    connection.close()


def nodes(plan):
    """What stands below the root: access, table, alias, index."""
    found = list(plan.root.walk())
    assert (found[0].text, found[0].access, plan.cost) == (ROOT, Access.OTHER, None)
    return [(node.access.value, node.table, node.alias, node.index) for node in found[1:]]


READS = {
    "SELECT * FROM orders": ("sequential scan", "orders", "orders", ""),
    "SELECT * FROM orders o WHERE o.city = 'x'": ("index scan", "orders", "o", "ix_city"),
    "SELECT city FROM main.orders WHERE city > 'x'": ("index-only scan", "orders", "main.orders", "ix_city"),
    "SELECT * FROM orders WHERE id = 5": ("index scan", "orders", "orders", ""),
    "SELECT * FROM parts AS p WHERE a = 'x' AND b > 'y'": ("index scan", "parts", "p", ""),
    "SELECT * FROM orders ORDER BY city": ("index scan", "orders", "orders", "ix_city"),
    "SELECT min(city) FROM orders": ("index-only scan", "orders", "orders", "ix_city"),
    "SELECT * FROM orders WHERE lower(note) = 'x'": ("index scan", "orders", "orders", "ix_lower"),
    'SELECT * FROM "odd USING name" AS "a AS b" WHERE "y z" = 5': (
        "index scan",
        "odd USING name",
        "a AS b",
        "ix AS odd",
    ),
    "SELECT * FROM pages WHERE pages MATCH 'MARKER'": ("other", "pages", "pages", ""),
    "UPDATE orders SET note = 'x' WHERE city = 'y'": ("index scan", "orders", "orders", "ix_city"),
    "DELETE FROM orders WHERE note = 'x'": ("sequential scan", "orders", "orders", ""),
    "SELECT 1": ("other", "", "", ""),
}


@pytest.mark.parametrize("sql", READS)
def test_how_one_table_is_read(explain, sql):
    assert nodes(explain(sql)) == [READS[sql]]


WHOLE = {
    "SELECT * FROM orders": True,
    "SELECT * FROM orders ORDER BY city": True,
    "SELECT city FROM orders": True,
    "SELECT city FROM orders WHERE city = 'x'": False,
    "SELECT min(city) FROM orders": False,
    "SELECT * FROM orders WHERE id = 5": False,
}


@pytest.mark.parametrize("sql", WHOLE)
def test_tells_what_is_read_whole(explain, sql):
    (node,) = explain(sql).root.children
    assert node.is_whole is WHOLE[sql]


def test_the_outer_table_of_a_join_comes_first_and_an_index_made_for_the_query_is_told(explain):
    plan = explain("SELECT * FROM orders o LEFT JOIN customers c ON c.name = o.note")
    assert nodes(plan) == [("sequential scan", "orders", "o", ""), ("automatic index", "customers", "c", "")]
    assert plan.indexes == frozenset()


def test_both_tables_of_a_full_join_are_known(explain):
    plan = explain("SELECT * FROM orders o FULL JOIN customers c ON c.name = o.note")
    assert [node[1] for node in nodes(plan)] == ["orders", "customers", "", "customers"]


SORTS = {
    "SELECT * FROM orders ORDER BY note": "sort",
    "SELECT * FROM orders ORDER BY city, note": "sort",
    "SELECT DISTINCT note FROM orders": "temporary",
    "SELECT note, count(*) FROM orders GROUP BY note": "temporary",
    "SELECT city FROM orders UNION SELECT name FROM customers": "temporary",
    "SELECT city FROM orders ORDER BY city": None,
}


@pytest.mark.parametrize("sql", SORTS)
def test_sorts_and_temporaries_are_told_apart(explain, sql):
    found = {access for access, *_ in nodes(explain(sql))} & {"sort", "temporary"}
    assert found == ({SORTS[sql]} if SORTS[sql] else set())


def test_subqueries_are_no_tables_and_what_they_read_stands_below(explain):
    plan = explain("SELECT * FROM (SELECT region, count(*) AS n FROM customers GROUP BY region) AS anon_1")
    (prepared, read) = plan.root.children
    assert [child.table for child in prepared.children] == ["customers", ""]
    assert (read.access, read.table, read.alias) == (Access.OTHER, "", "anon_1")


def test_a_common_table_expression_is_no_table(explain):
    plan = explain("WITH x AS MATERIALIZED (SELECT * FROM customers) SELECT * FROM x, orders WHERE customer_id = x.id")
    assert [node[1] for node in nodes(plan)] == ["", "customers", "", "orders"]


def test_an_or_of_indexes_holds_each(explain):
    plan = explain("SELECT * FROM orders WHERE city = 'a' OR customer_id = 3")
    assert plan.indexes == {"ix_city", "ix_customer"}


def test_subplans_are_told(explain):
    plan = explain("SELECT *, (SELECT name FROM customers c WHERE c.id = o.customer_id) FROM orders o")
    assert [node[:2] for node in nodes(plan)] == [
        ("sequential scan", "orders"),
        ("subplan", ""),
        ("index scan", "customers"),
    ]


MARKED = [
    "SELECT * FROM orders WHERE city = 'MARKER' AND customer_id = 987654",
    "SELECT * FROM pages WHERE pages MATCH 'MARKER'",
    "SELECT * FROM json_each('[987654]')",
    "SELECT * FROM orders WHERE note IN (VALUES ('MARKER'), ('MARKER2'), ('MARKER3'))",
    "VALUES ('MARKER'), ('MARKER')",
    "SELECT * FROM orders WHERE city LIKE 'MARKER%' ORDER BY CASE note WHEN 'MARKER' THEN 1 ELSE 987654 END",
    "SELECT * FROM orders LIMIT 987654",
]


@pytest.mark.parametrize("sql", MARKED)
def test_no_literal_is_in_any_node(explain, sql):
    shown = repr(explain(sql))
    assert "MARKER" not in shown
    assert "987654" not in shown


def test_the_number_of_rows_of_values_is_a_literal_too():
    plan = parse_sqlite([(1, 0, 0, "SCAN 3 CONSTANT ROWS")])
    assert plan.root.children[0].text == "SCAN CONSTANT ROWS"


def test_what_older_versions_say_is_understood():
    rows = [
        (3, 0, 0, "SCAN TABLE orders AS o"),
        (5, 0, 0, "SEARCH TABLE customers AS c USING INTEGER PRIMARY KEY (rowid=?)"),
        (7, 0, 0, "SCAN SUBQUERY 1"),
    ]
    assert nodes(parse_sqlite(rows)) == [
        ("sequential scan", "orders", "o", ""),
        ("index scan", "customers", "c", ""),
        ("other", "", "", ""),
    ]


def test_without_the_statement_an_alias_stands_for_itself():
    assert nodes(parse_sqlite([(2, 0, 0, "SCAN o")])) == [("sequential scan", "o", "o", "")]


ALIASES = {
    "SELECT * FROM a": {"a": "a"},
    "SELECT * FROM a AS x, b y, c WHERE x.i = 1": {"x": "a", "y": "b", "c": "c"},
    "SELECT * FROM a LEFT OUTER JOIN b ON a.i = b.i JOIN s.c AS z USING (i)": {"a": "a", "b": "b", "z": "c"},
    'SELECT * FROM "Big One" AS "T" WHERE 1': {"t": "Big One"},
    "SELECT * FROM (a JOIN b AS c ON a.i = c.i), d": {"a": "a", "c": "b", "d": "d"},
    "SELECT * FROM (SELECT i, j FROM a) AS x": {"a": "a"},
    "SELECT f(a, b), c FROM t WHERE i IN (1, 2) ORDER BY c, d": {"t": "t"},
    "UPDATE a SET i = 1 WHERE j = 2": {"a": "a"},
    "INSERT INTO a (i, j) VALUES (1, 2)": {"a": "a"},
    "SELECT * FROM a x WHERE EXISTS (SELECT 1 FROM b x)": {},
    "SELECT * FROM a WHERE EXISTS (SELECT 1 FROM a AS a_1)": {"a": "a", "a_1": "a"},
}


@pytest.mark.parametrize("sql", ALIASES)
def test_tables_by_alias(sql):
    assert dict(tables_by_alias(sql)) == ALIASES[sql]
