"""How long the lists are that columns are looked up in."""

from __future__ import annotations

import pytest

from pytest_dbguard.sql.facts.statement import parsed
from pytest_dbguard.sql.lint.in_list import marks
from pytest_dbguard.sql.lint.text import LintedText


def found(sql, dialect="postgresql"):
    text = LintedText(parsed(sql, dialect=dialect, columns={}), sql)
    return {(mark.subject, mark.number, mark.detail) for mark in marks(text)}


def numbers(count):
    return ", ".join(map(str, range(count)))


def test_each_list_has_its_length():
    sql = f"SELECT a FROM t WHERE b NOT IN ({numbers(70)}) AND (c IN (1, 2) OR d IN ({numbers(30)}))"
    assert found(sql) == {("t.b", 70, "not"), ("t.c", 2, ""), ("t.d", 30, "")}


def test_pairs_count_once():
    pairs = ", ".join(f"({n}, 'x)')" for n in range(40))
    assert found(f"SELECT a FROM t WHERE (b, c) IN ({pairs})") == {("t(b, c)", 40, "")}


def test_queries_and_values_are_no_lists():
    sql = f"SELECT a FROM t WHERE b IN (SELECT c FROM u WHERE u.d IN ({numbers(50)})) AND e IN (VALUES (1), (2))"
    assert found(sql) == {("u.d", 50, "")}


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_where_it_stands(dialect):
    sql = f"SELECT a FROM t\nWHERE x = 1 AND b IN ({numbers(20)})"
    (mark,) = marks(LintedText(parsed(sql, dialect=dialect, columns={}), sql))
    assert sql[mark.position :].startswith("b IN (0")
