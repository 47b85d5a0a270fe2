"""Comparisons with NULL: where they stand, what was meant."""

from __future__ import annotations

import pytest

from pytest_dbguard.sql.facts.statement import parsed
from pytest_dbguard.sql.lint.null_comparison import marks
from pytest_dbguard.sql.lint.text import LintedText


def found(sql, dialect="postgresql"):
    return list(marks(LintedText(parsed(sql, dialect=dialect, columns={}), sql)))


@pytest.mark.parametrize(
    ("condition", "rewrite"),
    [
        ("b = NULL", "b IS NULL"),
        ("lower(b) <> NULL", "lower(b) IS NOT NULL"),
        ("(NULL) != t.b", "t.b IS NOT NULL"),
        ("NOT b = NULL", "b IS NULL"),
        ("b > NULL", ""),
        ("b LIKE NULL", ""),
        ("(b, c) = (1, NULL)", ""),
        ("b IN (NULL, NULL)", "b IS NULL"),
        ("b IN ('secret', NULL)", "(b IN (...) OR b IS NULL)"),
    ],
)
def test_what_was_meant(condition, rewrite):
    (mark,) = found(f"SELECT a FROM t WHERE {condition}")
    assert mark.rewrite == rewrite
    assert "secret" not in mark.expression


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (a, b) VALUES (1, NULL) ON CONFLICT (a) DO UPDATE SET b = NULL",
        "UPDATE t SET a = NULL, b = DEFAULT WHERE c IS NULL",
        "MERGE INTO t USING u ON t.i = u.i WHEN MATCHED THEN UPDATE SET a = NULL",
        "SELECT a FROM t WHERE b IS NOT DISTINCT FROM NULL",
        "SELECT a FROM t WHERE coalesce(b, NULL) = 1 AND b BETWEEN 1 AND 2",
        "SELECT CASE WHEN a = 1 THEN NULL END FROM t",
        "SELECT a FROM t WHERE 'a = NULL' = b",
    ],
)
def test_no_comparison(sql):
    assert found(sql) == []


def test_where_it_stands():
    sql = "SELECT a FROM t\nWHERE c = $1\n  AND b <> NULL"
    (mark,) = found(sql)
    assert sql[mark.position :] == "b <> NULL"
