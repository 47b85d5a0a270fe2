"""Which side of which join is meant, and where that join stands."""

from __future__ import annotations

import pytest

from pytest_dbguard.sql.facts.statement import parsed
from pytest_dbguard.sql.lint.negated_outer_join import marks
from pytest_dbguard.sql.lint.text import LintedText


def found(sql, dialect="postgresql"):
    return list(marks(LintedText(parsed(sql, dialect=dialect, columns={}), sql)))


@pytest.mark.parametrize(
    ("joins", "where", "told"),
    [
        ("LEFT JOIN b ON b.i = a.i LEFT JOIN c ON c.i = b.i", "c.x = 1", ["c"]),
        ("LEFT JOIN b ON b.i = a.i LEFT JOIN c ON c.i = a.i", "b.x = 1 AND c.x > 2", ["b", "c"]),
        ("LEFT JOIN (b JOIN c ON c.i = b.i) ON b.i = a.i", "c.x = 1", ["c"]),
        ("RIGHT JOIN b ON b.i = a.i", "a.x = 1", ["a"]),
        ("RIGHT JOIN b ON b.i = a.i", "b.x = 1", []),
        ("FULL JOIN b ON b.i = a.i", "b.x = 1", ["b"]),
        ("LEFT JOIN b ON b.i = a.i", "NOT (b.x = 1 OR a.y = 2)", ["b"]),
        ("LEFT JOIN b ON b.i = a.i", "b.x + 1 > a.y", ["b"]),
        ("LEFT JOIN b ON b.i = a.i", "b.x IS NULL AND a.y = 2", []),
        ("LEFT JOIN b ON b.i = a.i", "(b.x = 1) IS NOT TRUE", []),
        ("LEFT JOIN b ON b.i = a.i", "CASE WHEN b.x = 1 THEN 0 ELSE 1 END = 1", []),
        ("LEFT JOIN b ON b.i = a.i", "b.x = 1 OR a.y = 2", []),
        ("LEFT JOIN b ON b.i = a.i", "EXISTS (SELECT 1 FROM d WHERE d.i = a.i)", []),
        ("JOIN b ON b.i = a.i", "b.x = 1", []),
    ],
)
def test_which_tables(joins, where, told):
    assert [mark.subject for mark in found(f"SELECT a.i FROM a {joins} WHERE {where}")] == told


def test_where_it_stands():
    sql = "SELECT a.i FROM a\nLEFT JOIN b ON b.i = a.i\nLEFT OUTER JOIN c ON c.i = a.i\nWHERE c.x = ?"
    (mark,) = found(sql, "sqlite")
    assert sql[mark.position :].startswith("LEFT OUTER JOIN c")
    assert mark.expression == "c.x = ?"


def test_no_literal_is_told():
    (mark,) = found("SELECT a.i FROM a LEFT JOIN b ON b.i = a.i WHERE b.x = 'secret' OR b.y LIKE 'se%cret'")
    assert mark.expression == "b.x = ? OR b.y LIKE ?"
