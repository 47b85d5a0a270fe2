"""ORs between columns of different tables, and what makes them harmless."""

from __future__ import annotations

import pytest

from pytest_dbguard.sql.facts.statement import parsed
from pytest_dbguard.sql.lint.or_across import marks
from pytest_dbguard.sql.lint.text import LintedText

JOIN = "SELECT a.i FROM a JOIN b ON b.i = a.i WHERE"


def found(sql, dialect="postgresql"):
    return [mark.detail for mark in marks(LintedText(parsed(sql, dialect=dialect, columns={}), sql))]


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("a.x = 1 OR b.y = 2", ["a.x,b.y"]),
        ("a.x = 1 OR (b.y = 2 AND b.z > 3)", ["a.x,b.y"]),
        ("a.x = 1 OR b.y IN (1, 2) OR a.z LIKE 'x%'", ["a.x,b.y"]),
        ("NOT (a.x <> 1 AND b.y <> 2)", ["a.x,b.y"]),
        ("a.x = 1 OR a.y = 2", []),
        ("(a.x = 1 OR b.y = 2) AND a.z = 3", []),
        ("(a.x = 1 OR b.y = 2) AND b.z > 3", []),
        ("a.x = 1 OR (b.y = 2 AND a.z = 3)", []),
        ("a.x = 1 OR b.y <> 2", []),
        ("a.x = 1 OR b.y IS NULL", []),
        ("a.x = 1 OR lower(b.y) = 'x'", []),
        ("a.x = 1 OR b.y = a.y", []),
        ("a.x = 1 OR true", []),
        ("a.x = 1 AND b.y = 2", []),
    ],
)
def test_what_is_marked(where, told):
    assert found(f"{JOIN} {where}") == told


def test_of_a_query_that_runs_for_each_row():
    inner = "SELECT 1 FROM a JOIN b ON b.i = a.i WHERE a.c = c.i AND (a.x = 1 OR b.y = 2)"
    assert found(f"SELECT c.i FROM c WHERE EXISTS ({inner})") == []
