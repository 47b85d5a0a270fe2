"""Plans for tests: of SQLite as it makes them, of PostgreSQL as it prints them."""

from __future__ import annotations

import sqlite3

from pytest_dbguard.planning.postgres_plans import parse_postgres
from pytest_dbguard.planning.sqlite_plans import parse_sqlite

TABLES = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, city TEXT, customer_id INT, note TEXT);
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, region INT);
"""


def sqlite_plan(sql, *indexes):
    """Return the plan of a statement on `TABLES` with these indexes, such as "city ON orders (city)"."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(TABLES + "".join(f"CREATE INDEX {index};\n" for index in indexes))
    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
    connection.close()
    return parse_sqlite(rows, sql)


def pg_node(kind, *plans, cost=0.0, rows=1, **others):
    """Return one node as EXPLAIN (FORMAT JSON) prints it; underscores of names stand for spaces."""
    more = {name.replace("_", " "): value for name, value in others.items()}
    value = {"Node Type": kind, "Startup Cost": 0.0, "Total Cost": cost, "Plan Rows": rows, "Plan Width": 8, **more}
    return {**value, "Plans": list(plans)} if plans else value


def pg_read(kind, table, **others):
    """Return one node that reads a table."""
    return pg_node(kind, **{"Relation_Name": table, "Alias": table, **others})


def pg_plan(root):
    """Return the plan with this root."""
    return parse_postgres([{"Plan": root}])
