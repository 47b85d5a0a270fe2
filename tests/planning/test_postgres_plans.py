"""Every kind of node that PostgreSQL 15 and 18 print is read, and no literal with it."""

from __future__ import annotations

import json

import pytest

from pytest_dbguard.planning.lab.base import LabError
from pytest_dbguard.planning.plan import Access
from pytest_dbguard.planning.postgres_plans import parse_postgres

SCHEMA = """
CREATE TYPE "my state" AS ENUM ('MARKER open', 'closed');
CREATE SCHEMA shop;
CREATE TABLE orders (
    id bigint PRIMARY KEY, city text, code varchar(9), state "my state", amount numeric(10, 2), at timestamp(3),
    day date, tags text[], doc jsonb, customer_id int
);
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, region int);
CREATE TABLE shop.items (id int PRIMARY KEY, "order no" bigint, price float8, place point, span int4range);
CREATE TABLE logs (id bigint, at date) PARTITION BY RANGE (at);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE INDEX ix_city ON orders (city);
CREATE INDEX ix_customer ON orders (customer_id);
CREATE INDEX ix_lower ON orders (lower(city));
CREATE INDEX ix_tags ON orders USING gin (tags);
CREATE INDEX ix_place ON shop.items USING gist (place);
CREATE INDEX ix_logs ON logs (id);
CREATE TABLE visits AS SELECT number % 7 AS customer_id FROM generate_series(1, 5000) number;
ANALYZE visits;
"""


@pytest.fixture(scope="module")
def database(planner):
    planner.execute(SCHEMA)
    return planner


@pytest.fixture
def explain(database):
    def plan(sql, **settings):
        with database.transaction(force_rollback=True):
            for name, value in {"enable_seqscan": "off", **settings}.items():
                database.execute(f"SET LOCAL {name} = {value}")
            return parse_postgres(database.execute(f"EXPLAIN (FORMAT JSON) {sql}").fetchone()[0])

    return plan


SEQUENTIAL = {"enable_seqscan": "on"}
PARALLEL = {**SEQUENTIAL, "parallel_setup_cost": 0, "parallel_tuple_cost": 0, "min_parallel_table_scan_size": 0}
NO_HASH, NO_SORT = {"enable_hashagg": "off"}, {"enable_sort": "off"}
LOOP = {"enable_hashjoin": "off", "enable_mergejoin": "off"}
HASH = {"enable_nestloop": "off", "enable_mergejoin": "off"}
MERGE = {"enable_nestloop": "off", "enable_hashjoin": "off"}

BY_CODE = "SELECT * FROM orders WHERE code = 'x'"
NUMBERED = "SELECT * FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM orders) anon_1 WHERE n % 5 = 1"
COUNTED = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 9) SELECT * FROM t"
BUYERS = "SELECT * FROM orders o LEFT JOIN customers c ON c.id = o.customer_id"
ALL_BUYERS = "SELECT * FROM orders o FULL JOIN customers c ON c.id = o.customer_id"
KEPT = "WITH x AS MATERIALIZED (SELECT * FROM customers) SELECT * FROM x"
UPSERT = "INSERT INTO orders (id) VALUES (5) ON CONFLICT (id) DO UPDATE SET city = 'x' WHERE orders.city = 'y'"
MERGED = "MERGE INTO customers USING orders o ON customers.id = o.id WHEN MATCHED THEN UPDATE SET name = 'x'"
LACKING = "SELECT * FROM orders o WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = o.customer_id)"

NODES = {
    "Seq Scan on orders o": ("SELECT * FROM orders o WHERE code = 'x'", SEQUENTIAL),
    "Index Scan using orders_pkey on orders": ("SELECT * FROM orders WHERE id = 1", {"enable_bitmapscan": "off"}),
    "Index Scan Backward using ix_city on orders": ("SELECT * FROM orders ORDER BY city DESC", {}),
    "Index Only Scan using ix_city on orders": ("SELECT city FROM orders ORDER BY city", {}),
    "Bitmap Heap Scan on orders": ("SELECT * FROM orders WHERE city = 'x'", {"enable_indexscan": "off"}),
    "Bitmap Index Scan on ix_tags": ("SELECT * FROM orders WHERE tags @> ARRAY['x']", {}),
    "BitmapOr": ("SELECT * FROM orders WHERE city = 'x' OR customer_id = 4", {}),
    "Tid Scan on orders": ("SELECT * FROM orders WHERE ctid = '(0,1)'", {}),
    "Tid Range Scan on orders": ("SELECT * FROM orders WHERE ctid > '(0,1)'", {}),
    "Sample Scan on orders": ("SELECT * FROM orders TABLESAMPLE system (7) REPEATABLE (9)", {}),
    "Subquery Scan on anon_1": (NUMBERED, {}),
    "Function Scan on generate_series g": ("SELECT * FROM generate_series(1, 77) g", {}),
    "Values Scan on *VALUES*": ("SELECT * FROM (VALUES ('x', 1), ('y', 2)) AS v", {}),
    "CTE Scan on x": (KEPT, {}),
    "CTE x": (KEPT, {}),
    "WorkTable Scan on t t_1": (COUNTED, {}),
    "Recursive Union": (COUNTED, {}),
    "Result": ("SELECT 1 WHERE random() < 0.5", {}),
    "ProjectSet": ("SELECT generate_series(1, 5)", {}),
    "Sort": ("SELECT * FROM orders ORDER BY code", {}),
    "Incremental Sort": ("SELECT * FROM orders ORDER BY city, code LIMIT 5", {}),
    "Limit": ("SELECT * FROM orders LIMIT 5", {}),
    "LockRows": ("SELECT * FROM orders FOR UPDATE", {}),
    "Unique": ("SELECT DISTINCT city FROM orders", NO_HASH),
    "HashAggregate": ("SELECT code, count(*) FROM orders GROUP BY code", NO_SORT),
    "GroupAggregate": ("SELECT city, count(*) FROM orders GROUP BY city", NO_HASH),
    "Group": ("SELECT city FROM orders GROUP BY city", NO_HASH),
    "MixedAggregate": ("SELECT code, customer_id, count(*) FROM orders GROUP BY CUBE (code, customer_id)", {}),
    "Aggregate": ("SELECT count(*) FROM orders", {}),
    "WindowAgg": ("SELECT sum(id) OVER (ORDER BY id ROWS 7 PRECEDING) FROM orders", {}),
    "HashSetOp Except": ("SELECT code FROM orders EXCEPT SELECT name FROM customers", NO_SORT),
    "SetOp Intersect All": ("SELECT code FROM orders INTERSECT ALL SELECT name FROM customers", NO_HASH),
    "Append": ("SELECT * FROM logs WHERE id = 1", {}),
    "Merge Append": ("SELECT * FROM logs ORDER BY id", {}),
    "Hash Join": ("SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id", HASH),
    "Hash Left Join": (BUYERS, HASH),
    "Hash": (BUYERS, HASH),
    "Merge Full Join": (ALL_BUYERS, MERGE),
    "Nested Loop": ("SELECT * FROM orders o, customers c WHERE o.id < c.id", LOOP),
    "Nested Loop Left Join": (BUYERS, LOOP),
    "Nested Loop Anti Join": (LACKING, LOOP),
    "Memoize": ("SELECT * FROM visits v LEFT JOIN customers c ON c.id = v.customer_id", LOOP),
    "Materialize": ("SELECT * FROM orders o CROSS JOIN customers c", {}),
    "Insert on orders": (UPSERT, {}),
    "Update on orders": ("UPDATE orders SET city = 'x' WHERE id = 5", {}),
    "Delete on orders": ("DELETE FROM orders WHERE id = 5", {}),
    "Merge on customers": (MERGED, {}),
    "SubPlan 1": ("SELECT (SELECT name FROM customers c WHERE c.id = o.id) FROM orders o", {}),
    "InitPlan 1": ("SELECT * FROM orders WHERE id > (SELECT max(id) FROM customers)", {}),
    "Gather": (BY_CODE, PARALLEL),
    "Parallel Seq Scan on orders": (BY_CODE, PARALLEL),
    "Partial Aggregate": ("SELECT count(*) FROM orders", {**PARALLEL, "enable_indexonlyscan": "off"}),
}


@pytest.mark.parametrize("text", NODES)
def test_nodes_are_headed_as_people_know_them(explain, text):
    sql, settings = NODES[text]
    texts = [node.text for node in explain(sql, **settings).root.walk()]
    assert text in texts


def first(plan, access):
    return next(node for node in plan.root.walk() if node.access is access)


def test_a_scan_tells_all_that_rules_ask_for(explain):
    plan = explain("SELECT * FROM orders o WHERE city = 'x' AND code <> 'y'", enable_bitmapscan="off")
    node = plan.root
    assert (node.access, node.table, node.alias, node.index) == (Access.INDEX, "orders", "o", "ix_city")
    assert node.condition == (("Index Cond", "(city = ?)"), ("Filter", "((code)::text <> ?)"))
    assert node.rows > 0
    assert node.width > 0
    assert 0 < node.startup_cost < node.total_cost == plan.cost
    assert plan.indexes == {"ix_city"}
    assert not node.is_whole


def test_the_index_of_a_bitmap_scan_stands_below_it(explain):
    (heap, index) = explain("SELECT * FROM orders WHERE city = 'x'", enable_indexscan="off").root.walk()
    assert (heap.access, heap.table, heap.index) == (Access.BITMAP, "orders", "")
    assert (index.access, index.table, index.index) == (Access.BITMAP, "", "ix_city")


def test_a_sort_tells_its_keys(explain):
    plan = explain('SELECT * FROM orders ORDER BY code DESC, (amount + 987654), lower(city) COLLATE "C"')
    node = first(plan, Access.SORT)
    assert node.sort_key == ("code DESC", "((amount + ?))", '((lower(city))::text) COLLATE "C"')


def test_what_is_evaluated_aside_stands_below_its_name(explain):
    plan = explain("SELECT (SELECT name FROM customers c WHERE c.id = o.id) FROM orders o")
    aside = first(plan, Access.SUBPLAN)
    assert aside.text == "SubPlan 1"
    assert [node.table for node in aside.children] == ["customers"]
    assert aside.total_cost == aside.children[0].total_cost


def test_partial_nodes_of_parallel_plans_are_known(explain):
    plan = explain("SELECT count(*) FROM orders", **{**PARALLEL, "enable_indexonlyscan": "off"})
    partial = [node.text for node in plan.root.walk() if node.is_partial]
    assert partial == ["Partial Aggregate", "Parallel Seq Scan on orders"]
    assert plan.root.text == "Finalize Aggregate"


def test_partitions_are_tables_of_their_own(explain):
    plan = explain("SELECT * FROM logs WHERE at = '2020-02-03'", **SEQUENTIAL)
    assert [node.table for node in plan.root.walk() if node.table] == ["logs_1"]


def test_a_table_of_another_schema_is_told_with_it(database):
    (row,) = database.execute("EXPLAIN (FORMAT JSON, VERBOSE, SETTINGS) SELECT * FROM shop.items i").fetchone()
    node = parse_postgres(row).root
    assert (node.schema, node.table, node.text) == ("shop", "items", "Seq Scan on shop.items i")


def test_settings_that_differ_are_told(database):
    with database.transaction(force_rollback=True):
        database.execute("SET LOCAL work_mem = '64kB'")
        (row,) = database.execute("EXPLAIN (FORMAT JSON, SETTINGS) SELECT 1").fetchone()
    assert ("work_mem", "64kB") in parse_postgres(row).settings


def test_the_text_of_the_document_is_read_too():
    document = [{"Plan": {"Node Type": "Seq Scan", "Relation Name": "orders", "Alias": "orders"}}]
    plan = parse_postgres(json.dumps(document))
    assert plan == parse_postgres(document) == parse_postgres(document[0])
    assert (plan.root.text, plan.cost, plan.root.rows) == ("Seq Scan on orders", None, None)


@pytest.mark.parametrize("document", [[], [{}], "[]", ["Utility Statement"], [{"Plan": None}]])
def test_a_document_without_a_plan_is_refused(document):
    with pytest.raises(LabError, match="does not plan"):
        parse_postgres(document)


TERMS = [
    "o.city = 'MARKER'",
    "o.city = 'it''s \"MARKER\" (987654'",
    "o.city IN ('MARKER', 'MARKER2', 'MARKER3')",
    "o.city LIKE 'MARKER%' AND o.city ILIKE '%MARKER'",
    r"o.city = E'MARKER\\ \n 987654' OR o.city = 'MARKER\'",
    "o.city ~ '^MARKER$1'",
    "o.code = 'MARKER'::varchar(9) AND o.code::char(4) = 'MARK'",
    "o.state = 'MARKER open' AND o.city = 'say \"MARKER\"'",
    "o.state IN ('MARKER open', 'closed')",
    "o.amount = 987654 AND o.amount > -987654.25 AND o.amount::numeric(8, 3) <> 9876.54",
    "o.id = 987654 OR o.id < -987654 OR o.id = 9876540000000",
    "o.id IN (987654, 987655) AND o.customer_id = ANY (ARRAY[987654, 987655])",
    "i.price > 987654.5e3 AND i.price = '-987654'::float8 AND i.price <> 'NaN'",
    "o.at > '2020-02-03 04:05:06' AND o.at < TIMESTAMP(0) '2020-02-03' + INTERVAL '987654 seconds'",
    "o.at::timestamptz > '2020-02-03 00:00+00' AND o.at::time(2) > '04:05:06'",
    "o.day = DATE '2020-02-03' OR o.day BETWEEN '2020-02-03' AND '2020-02-04'",
    "o.day + INTERVAL '987654' DAY > now()",
    "o.tags @> ARRAY['MARKER', 'MARKER2'] OR o.tags && '{MARKER,\"MARKER 2\"}'",
    "o.doc @> '{\"MARKER\": 987654}' OR o.doc ->> 'MARKER' = 'x' OR o.doc #>> '{MARKER,0}' = '987654'",
    "i.place <@ box '(987654,1),(2,987654)' AND i.span && '[987654,987655)'",
    r"o.city = convert_from('\x4d41', 'UTF8') OR o.city = B'1001'::text",
    "coalesce(o.city, 'MARKER') = 'x' AND nullif(o.code, 'MARKER') IS NULL",
    "(o.id, o.city) > (987654, 'MARKER')",
    "CASE WHEN o.city = 'MARKER' THEN 987654 ELSE 0 END = o.id",
    "o.id = (SELECT 987654 + max(id) FROM customers WHERE name = 'MARKER')",
    "o.city IN (VALUES ('MARKER'), ('MARKER2')) AND o.id IN (SELECT id FROM customers WHERE name = 'MARKER')",
    "to_tsvector('simple', o.city) @@ to_tsquery('simple', 'MARKER & ''987654''')",
    "o.city || 'MARKER' = 'x' AND o.city COLLATE \"C\" > 'MARKER' AND 'MARKER' = ANY (o.tags)",
    "i.\"order no\" = 987654 AND o.id % 987654 = 1 AND o.tags[98765] = 'MARKER'",
    "o.customer_id = 987654::int OR o.ctid = '(987654,1)' OR o.id = '987654'::oid",
]
MARKERS = ("MARK", "9876", "2020", "04:05", "1001", "4d41")


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("scans", ["on", "off"])
def test_no_literal_is_in_any_node(database, term, scans):
    sql = f"SELECT * FROM orders o JOIN shop.items i ON i.id = o.id AND ({term}) ORDER BY ({term}), o.id LIMIT 987654"
    with database.transaction(force_rollback=True):
        database.execute(f"SET LOCAL enable_seqscan = {scans}")
        for options in ("", ", VERBOSE, SETTINGS"):
            (row,) = database.execute(f"EXPLAIN (FORMAT JSON{options}) {sql}").fetchone()
            # the server does print them, so the test can fail
            assert any(marker in json.dumps(row) for marker in MARKERS)
            shown = repr(parse_postgres(row))
            assert [marker for marker in MARKERS if marker in shown] == [], shown


def test_generic_plans_hold_no_parameters(database):
    with database.transaction(force_rollback=True):
        database.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        database.execute("PREPARE q (text, bigint) AS SELECT * FROM orders WHERE city = $1 AND id > $2 LIMIT 987654")
        (row,) = database.execute("EXPLAIN (FORMAT JSON) EXECUTE q ('MARKER', 987654)").fetchone()
    conditions = [text for node in parse_postgres(row).root.walk() for _, text in node.condition]
    assert "$1" in json.dumps(row)
    assert conditions
    assert not any("$" in text for text in conditions)
