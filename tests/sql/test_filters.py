"""Whether an UPDATE or DELETE says which rows, told from tokens."""

from __future__ import annotations

import pytest

from pytest_dbguard.sql.shape import read_statement

ALL_ROWS = [
    "DELETE FROM a",
    "DELETE FROM a;",
    "UPDATE a SET x = 1",
    "update a set x = 1",
    "UPDATE a SET x = (SELECT y FROM b WHERE b.i = a.i)",
    "DELETE FROM a WHERE 1 = 1",
    "DELETE FROM a WHERE true",
    "DELETE FROM a WHERE (((TRUE)))",
    "DELETE FROM a WHERE 1",
    "DELETE FROM a WHERE 'x' = 'x' AND true RETURNING id",
    "WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone WHERE x = 1",
    "WITH some AS (SELECT 1) UPDATE a SET x = (SELECT * FROM some)",
]
SOME_ROWS = [
    "DELETE FROM a WHERE x = 1",
    "DELETE FROM a WHERE active",
    "DELETE FROM a WHERE 0 = 1",
    "DELETE FROM a WHERE 0",
    "DELETE FROM a WHERE false",
    "DELETE FROM a WHERE ? = 1",
    "DELETE FROM a WHERE 1 = 1 AND x = 1",
    "DELETE FROM a WHERE (x IN (1, 2))",
    "DELETE FROM a WHERE EXISTS (SELECT 1 FROM b)",
    "DELETE FROM a USING b WHERE a.x = b.x",
    "DELETE FROM a ORDER BY x LIMIT 10",
    "UPDATE a JOIN b ON a.i = b.i SET a.x = 1",
    "UPDATE a SET x = 1 FROM b WHERE a.i = b.i",
    "WITH gone AS (DELETE FROM a WHERE x = 1 RETURNING *) INSERT INTO b SELECT * FROM gone",
]
NO_WRITES = [
    "SELECT a.update FROM a",
    "SELECT 1 FROM a FOR UPDATE",
    "INSERT INTO a VALUES (1) ON CONFLICT DO UPDATE SET x = 1",
    "INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE x = 1",
    "CREATE TABLE x (i INT REFERENCES b ON DELETE CASCADE ON UPDATE CASCADE)",
    "SELECT 'DELETE FROM a'",
]


@pytest.mark.parametrize("text", ALL_ROWS)
def test_all_rows(text):
    assert read_statement(text).is_unfiltered


@pytest.mark.parametrize("text", SOME_ROWS + NO_WRITES)
def test_some_rows(text):
    assert not read_statement(text).is_unfiltered


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT a.x, b.x FROM a, b", True),
        ("SELECT 1 FROM (SELECT 1 FROM a, b) AS c", True),
        ("SELECT a.x, b.x FROM a JOIN b ON f(a.x, b.x)", False),
        ("SELECT 1 FROM f(1, 2)", False),
        ("SELECT 1 FROM a WHERE x IN (1, 2) ORDER BY x, y", False),
    ],
)
def test_a_list_after_from(text, expected):
    assert read_statement(text).has_from_list is expected
