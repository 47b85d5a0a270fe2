"""Walks over trees: as sqlglot's own, node by node; and values that are computed once."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from pytest_dbguard.sql.facts.trees import children, find_all, holds, lazy, walk, written

TEXTS = (
    "SELECT a.x, count(*) AS n FROM a JOIN b ON b.id = a.b_id WHERE a.y IN (1, 2) AND NOT a.z IS NULL GROUP BY 1",
    "WITH c AS (SELECT 1 UNION ALL SELECT x FROM t) SELECT *, CASE WHEN x THEN y END FROM c ORDER BY x LIMIT 3",
    "UPDATE t SET a = :p0, b = (SELECT max(x) FROM u) WHERE (a, b) = (1, 2) RETURNING id",
    "INSERT INTO t (a, b) VALUES (1, 'x'), (2, :p1) ON CONFLICT (a) DO UPDATE SET b = excluded.b",
)


@pytest.mark.parametrize("text", TEXTS)
def test_nodes_come_in_the_order_of_sqlglot(text):
    tree = parse_one(text, read="postgres")
    assert list(map(id, walk(tree))) == list(map(id, tree.walk()))
    assert list(map(id, find_all(tree, exp.Column))) == list(map(id, tree.find_all(exp.Column)))
    for node in tree.walk():
        assert list(map(id, children(node))) == list(map(id, node.iter_expressions()))
    assert holds(tree, exp.Column, exp.Insert)
    assert not holds(tree, exp.Drop)


@pytest.mark.parametrize("dialect", ["postgres", "sqlite"])
@pytest.mark.parametrize("text", TEXTS)
def test_text_is_that_of_sqlglot(text, dialect):
    expected = parse_one(text, read=dialect).sql(dialect, normalize_functions="lower", comments=False)
    assert written(parse_one(text, read=dialect), dialect) == expected


def test_values_are_computed_once_for_each_object():
    asked = []

    class Thing:
        @lazy
        def value(self):
            """What it is."""
            asked.append(self)
            return len(asked)

    one, other = Thing(), Thing()
    assert (one.value, one.value, other.value, one.value) == (1, 1, 2, 1)
    assert Thing.value.__doc__ == "What it is."
