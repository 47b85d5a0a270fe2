"""Which tables a SELECT DISTINCT asks for, and which it only joins."""

from __future__ import annotations

import pytest

from pytest_dbguard.sql.facts.statement import parsed
from pytest_dbguard.sql.lint.distinct_join import marks
from pytest_dbguard.sql.lint.text import LintedText

COLUMNS = {"a": ("i", "x"), "b": ("i", "a_i", "y"), "c": ("i", "b_i")}


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT DISTINCT a.i FROM a JOIN b ON b.a_i = a.i", [("a", ("i",), "b")]),
        ("SELECT DISTINCT a.* FROM a JOIN b ON b.a_i = a.i JOIN c ON c.b_i = b.i", [("a", ("i", "x"), "b,c")]),
        ("SELECT DISTINCT a.i AS k, x FROM a LEFT JOIN b ON b.a_i = a.i WHERE y > 1", [("a", ("i", "x"), "b")]),
        (
            "SELECT DISTINCT a.i, c.i FROM a JOIN b ON b.a_i = a.i JOIN c ON c.b_i = b.i",
            [("a", ("i",), "b"), ("c", ("i",), "b")],
        ),
        ("SELECT DISTINCT a.i, lower(b.y) FROM a JOIN b ON b.a_i = a.i", []),
        ("SELECT DISTINCT * FROM a JOIN b ON b.a_i = a.i", []),
        ("SELECT DISTINCT a.i FROM a", []),
        ("SELECT a.i FROM a JOIN b ON b.a_i = a.i", []),
        ("SELECT DISTINCT a.i FROM a JOIN (SELECT a_i FROM b) AS d ON d.a_i = a.i", []),
        ("SELECT DISTINCT a.i, count(*) OVER () FROM a JOIN b ON b.a_i = a.i", []),
    ],
)
def test_what_is_marked(sql, told):
    text = LintedText(parsed(sql, dialect="postgresql", columns=COLUMNS), sql)
    assert [(mark.subject, mark.columns, mark.detail) for mark in marks(text)] == told


def test_where_it_stands():
    sql = "SELECT\n  DISTINCT a.i FROM a JOIN b ON b.a_i = a.i"
    (mark,) = marks(LintedText(parsed(sql, dialect="sqlite", columns=COLUMNS), sql))
    assert sql[mark.position :].startswith("DISTINCT a.i")
