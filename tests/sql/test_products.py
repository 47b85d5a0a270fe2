"""FROM elements that no condition connects, on SQL as people and SQLAlchemy write it."""

from __future__ import annotations

import pytest

from pytest_dbguard.sql.products import unconnected

PRODUCTS = [
    ("SELECT customer.name, orders.id FROM customer, orders", "customer | orders"),
    ("SELECT 1 FROM a, b JOIN c ON c.i = b.i WHERE a.x = ?", "a | b c"),
    ("SELECT 1 FROM b JOIN c ON c.i = b.i, a", "a | b c"),
    ("SELECT 1 FROM a, b, c", "a | b | c"),
    ("SELECT 1 FROM a JOIN b", "a | b"),
    ("SELECT 1 FROM a JOIN b ON b.x = ?", "a | b"),
    ("SELECT 1 FROM a LEFT JOIN b ON b.x = ? AND a.y = ?", "a | b"),
    ("SELECT 1 FROM a LEFT OUTER JOIN (b JOIN c ON b.x = ?) ON a.i = b.a", "c | a b"),
    ("SELECT 1 FROM a, b WHERE a.x = ? AND (b.x = ? OR b.y = ?)", "a | b"),
    ("SELECT 1 FROM a AS x, a AS y", "a | a"),
    ("SELECT 1 FROM a, b WHERE x = ?", "a | b"),
    ("SELECT 1 FROM a, (SELECT x FROM b) AS c", "a | c"),
    ("SELECT 1 FROM a, (SELECT count(*) FROM b GROUP BY b.x) AS c", "a | c"),
    ("SELECT 1 FROM a, (SELECT count(*) OVER () FROM b) AS c", "a | c"),
    ("WITH t AS (SELECT x FROM b) SELECT 1 FROM a, t", "a | t"),
    ("SELECT 1 FROM a, b WHERE EXISTS (SELECT 1 FROM c WHERE c.x = a.x)", "a | b"),
    ("SELECT 1 FROM a WHERE a.x IN (SELECT b.x FROM b, c)", "b | c"),
    ("SELECT 1 FROM a WHERE a.x = ? UNION SELECT 1 FROM b, c", "b | c"),
    ("DELETE FROM a WHERE a.id IN (SELECT b.id FROM b, c)", "b | c"),
    ("INSERT INTO a SELECT b.x FROM b, c", "b | c"),
    ('SELECT 1 FROM "order", shop.customer WHERE "order".x = ?', "order | customer"),
    ("SELECT 1 FROM `o`, c", "o | c"),
]
CONNECTED = [
    "SELECT 1",
    "SELECT 1 FROM a",
    "SELECT 1 FROM a JOIN b ON a.x = b.x",
    "SELECT 1 FROM a JOIN b USING (x)",
    "SELECT 1 FROM a NATURAL JOIN b",
    "SELECT 1 FROM a CROSS JOIN b",
    "SELECT 1 FROM a JOIN b ON true",
    "SELECT 1 FROM a JOIN b ON ? = ?",
    "SELECT 1 FROM a JOIN b ON b.id = ?",
    "SELECT 1 FROM A, b WHERE a.X = B.x",
    'SELECT 1 FROM "order", shop.customer WHERE customer.id = "order".x',
    "SELECT 1 FROM a LEFT OUTER JOIN (b JOIN c ON b.i = c.i) ON a.i = b.a",
    "SELECT 1 FROM a, b WHERE a.x = ? OR b.x = ?",
    "SELECT 1 FROM a, b WHERE NOT (a.x = b.x)",
    "SELECT 1 FROM a, b WHERE CASE WHEN a.x = ? THEN b.x ELSE ? END = ?",
    "SELECT 1 FROM a, b WHERE lower(a.x) LIKE b.y || ?",
    "SELECT 1 FROM a, b WHERE (a.x, a.y) = (b.x, b.y)",
    "SELECT 1 FROM a, b WHERE a.x BETWEEN b.x AND b.y",
    "SELECT 1 FROM a, b WHERE x = y",
    "SELECT 1 FROM a, b, c WHERE a.x = b.x AND b.y = c.y",
    "SELECT 1 FROM a, b WHERE EXISTS (SELECT 1 FROM c WHERE c.x = a.x AND c.y = b.y)",
    "SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b, c WHERE b.x = a.x AND c.x = a.x)",
    "SELECT 1 FROM a, LATERAL (SELECT 1 FROM b WHERE b.x = a.x) AS l",
    "SELECT 1 FROM a, unnest(a.z) AS u, (VALUES (?)) AS v, generate_series(?, ?) AS g",
    "SELECT 1 FROM a, json_each(a.j)",
    "SELECT 1 FROM a, generate_series(?, ?) AS g, b WHERE a.x = g AND b.x = g",
    "SELECT 1 FROM a, (SELECT count(*) AS n FROM b) AS c",
    "SELECT 1 FROM a, (SELECT x FROM b LIMIT ?) AS c",
    "SELECT 1 FROM a, (SELECT ? AS n UNION ALL SELECT ?) AS k",
    "WITH t AS (SELECT max(b.x) + ? AS m FROM b) SELECT 1 FROM a, t",
    "WITH RECURSIVE t AS (SELECT a.i FROM a UNION ALL SELECT a.i FROM a, t WHERE a.p = t.i) SELECT 1 FROM t",
    "SELECT 1 FROM a, dual",
    "nonsense, (",
    "",
]


@pytest.mark.parametrize(("text", "groups"), PRODUCTS, ids=[text for text, _ in PRODUCTS])
def test_a_product(text, groups):
    assert " | ".join(" ".join(group) for group in unconnected(text)) == groups


@pytest.mark.parametrize("text", CONNECTED)
def test_connected_meant_or_unknown(text):
    assert unconnected(text) == ()
