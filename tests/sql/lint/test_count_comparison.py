"""Counts that are compared with nothing, and what to write instead."""

from __future__ import annotations

import pytest

from pytest_dbguard.sql.facts.statement import parsed
from pytest_dbguard.sql.lint.count_comparison import marks
from pytest_dbguard.sql.lint.text import LintedText


def found(sql, dialect="postgresql"):
    return list(marks(LintedText(parsed(sql, dialect=dialect, columns={}), sql)))


@pytest.mark.parametrize(
    ("sql", "rewrite"),
    [
        ("SELECT count(*) FROM t WHERE a = $1 ORDER BY 1", "SELECT EXISTS (SELECT 1 FROM t WHERE a = ?)"),
        ("SELECT count(*) FROM (SELECT t.a FROM t WHERE a = $1) AS x", "SELECT EXISTS (SELECT 1 FROM t WHERE a = ?)"),
        (
            "SELECT count(*) FROM (SELECT DISTINCT t.a FROM t) AS x",
            "SELECT EXISTS (SELECT DISTINCT t.a FROM t)",
        ),
        (
            "SELECT a FROM u WHERE (SELECT count(*) FROM t WHERE t.b = 'x') > 0",
            "EXISTS (SELECT 1 FROM t WHERE t.b = ?)",
        ),
        ("SELECT a FROM u WHERE 1 > (SELECT count(*) FROM t)", "NOT EXISTS (SELECT 1 FROM t)"),
        ("SELECT count(*) FROM t WHERE a = $1 LIMIT 1", "SELECT EXISTS (SELECT 1 FROM t WHERE a = ?)"),
        ("SELECT count(*)::int <> 0 FROM t JOIN u ON u.i = t.i", "EXISTS (SELECT 1 FROM t JOIN u ON u.i = t.i)"),
    ],
)
def test_rewrites(sql, rewrite):
    assert [mark.rewrite for mark in found(sql)] == [rewrite]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*), a FROM t GROUP BY a",
        "SELECT count(*) FROM t HAVING count(*) > 0",
        "SELECT count(*) > 0 AND max(a) > 3 FROM t",
        "SELECT a FROM t WHERE (SELECT count(*) FROM u GROUP BY b) > 0",
        "SELECT a FROM t WHERE (SELECT sum(b) FROM u) > 0",
        "SELECT count(*) FILTER (WHERE a > 1) > 0, a FROM t GROUP BY a",
        "SELECT count(*) OVER () > 0 FROM t",
        "SELECT count(*) FROM t UNION SELECT count(*) FROM u",
        "SELECT a FROM t WHERE counted > 0",
        "SELECT count(*) FROM (SELECT 1 FROM t LIMIT 1) AS x",
    ],
)
def test_other_questions(sql):
    assert found(sql) == []


def test_where_it_stands():
    sql = "SELECT a FROM u\nWHERE (SELECT count(*) FROM t) > 0 AND 0 = (SELECT count(*) FROM t)"
    places = [mark.position for mark in found(sql)]
    assert sorted(sql[place:][:8] for place in places) == ["0 = (SEL", "SELECT c"]
