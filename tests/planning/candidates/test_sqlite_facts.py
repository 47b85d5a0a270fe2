"""Which conditions an index of SQLite serves: what the proposals say, and what its planner does."""

from __future__ import annotations

import sqlite3

import pytest

from pytest_dbguard.planning.candidates.unusable import unusable
from pytest_dbguard.planning.candidates.wanted import wanted
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite
from pytest_dbguard.sql.facts.statement import statement_facts

TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(40), b VARCHAR(40) COLLATE NOCASE, n INTEGER, at DATETIME)"
PLAIN, NOCASE, OF_B = "t (a)", "t (a COLLATE NOCASE)", "t (b)"
CASES = [
    *((PLAIN, where) for where in ("a = 'x'", "a LIKE 'x%'", "a GLOB 'x*'", "a LIKE '%x'", "a LIKE 'x' || '%'")),
    *(
        (PLAIN, where)
        for where in ("a COLLATE NOCASE = 'x'", "a IN ('x', 'y')", "a IS 'x'", "a > 'x'", "lower(a) = 'x'")
    ),
    *((NOCASE, where) for where in ("a = 'x'", "a LIKE 'x%'", "a GLOB 'x*'", "a COLLATE NOCASE = 'x'")),
    *((OF_B, where) for where in ("b = 'x'", "b LIKE 'x%'", "b LIKE 'x'", "b LIKE 'x%' ESCAPE '/'")),
    *(("t (lower(a))", where) for where in ("lower(a) = 'x'", "LOWER(t.a) = 'x'", "upper(a) = 'x'", "a = 'x'")),
    *(
        ("t (date(at))", where)
        for where in ("date(at) = '2026-03-01'", "date(at) >= '2026-03-01'", "at >= '2026-03-01'")
    ),
    *(("t (substr(a, 1, 3))", where) for where in ("substr(a, 1, 3) = 'x'", "substr(a, 1, 2) = 'x'")),
    *(("t (a) WHERE n = 1", where) for where in ("a = 'x'", "a = 'x' AND n = 1", "a = 'x' AND n = 2")),
    *(("t (a) WHERE n IS NULL", where) for where in ("a = 'x'", "a = 'x' AND n IS NULL")),
    *(("t (a) WHERE n IS NOT NULL", where) for where in ("a = 'x'", "a = 'x' AND n = 5", "a = 'x' AND n > 5")),
    *(("t (n, a)", where) for where in ("a = 'x'", "n = 1", "a = 'x' AND n = 1", "n + 1 = 2", "CAST(n AS TEXT) = '1'")),
    *((PLAIN, where) for where in ("id = 1", "id IN (1, 2)", "id > 5", "(n = 1 OR id = 2)", "(a = 'x' OR id = 2)")),
]


@pytest.mark.parametrize(("index", "where"), CASES)
def test_what_an_index_serves(index, where):
    connection = sqlite3.connect(":memory:")
    connection.execute(TABLE)
    connection.execute(f"CREATE INDEX ix ON {index}")
    sql = f"SELECT n FROM t WHERE {where}"
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    made = reflect_sqlite(lambda text: connection.execute(text).fetchall())
    connection.close()
    facts = statement_facts(sql, dialect="sqlite", columns=made.columns_of(["t"]))
    said = (*wanted(facts, made, None, sql=sql), *unusable(facts, made, None, sql=sql))
    assert bool(said) == any(line.startswith("SCAN") for line in plan), (plan, said)


@pytest.mark.parametrize(
    ("index", "order"),
    [
        ("t (n)", "n"),
        ("t (n)", "n DESC"),
        ("t (n DESC)", "n"),
        ("t (n)", "n DESC, id DESC"),
        ("t (n, a)", "n, a"),
        ("t (n, a)", "n DESC, a DESC"),
        ("t (n)", "a"),
        ("t (n)", "n NULLS LAST"),
        ("t (a)", "a COLLATE NOCASE"),
        ("t (n)", "id"),
        ("t (n)", "id DESC"),
    ],
)
def test_which_order_an_index_has(index, order):
    """Only of what can be had by an index is anything said: of others the planner sorts, and nothing is told."""
    connection = sqlite3.connect(":memory:")
    connection.execute(TABLE)
    connection.execute(f"CREATE INDEX ix ON {index}")
    sql = f"SELECT id, n, a, b FROM t ORDER BY {order} LIMIT 5"
    made = reflect_sqlite(lambda text: connection.execute(text).fetchall())
    facts = statement_facts(sql, dialect="sqlite", columns=made.columns_of(["t"]))
    sorts = any("TEMP B-TREE" in row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}"))
    said = wanted(facts, made, None, sql=sql)
    if said:
        assert sorts
        connection.execute(f"CREATE INDEX proposed ON t ({', '.join(said[0].spec.keys)})")
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert any("proposed" in line for line in plan), plan
    elif sorts:
        assert "NULLS" in order or "COLLATE" in order
    connection.close()
