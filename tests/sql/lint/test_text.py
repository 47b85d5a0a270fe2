"""Where things stand in a statement, what columns are, and how expressions are shown."""

from __future__ import annotations

import pytest
from sqlglot import exp

from pytest_dbguard.sql.explainable import explainables
from pytest_dbguard.sql.facts.statement import parsed
from pytest_dbguard.sql.lint.statement import marks_of, statement_marks
from pytest_dbguard.sql.lint.text import LintedText


def linted(sql, dialect="postgresql", columns=None):
    return LintedText(parsed(sql, dialect=dialect, columns=columns or {}), sql)


def test_a_node_stands_where_its_first_name_does():
    sql = "SELECT a\n  FROM t -- t.b LIKE\n WHERE 'it''s' = a AND t.b LIKE $1"
    text = linted(sql)
    (like,) = text.all(exp.Like)
    assert sql[text.position(like) :] == "t.b LIKE $1"


def test_a_parameter_stands_at_its_sign():
    sql = "SELECT a FROM t WHERE b = $1 AND c = $1 LIMIT $3 OFFSET $2"
    text = linted(sql)
    (offset,) = text.all(exp.Offset)
    assert sql[text.position(offset) :] == "$2"
    assert sql[text.keyword("OFFSET", text.position(offset)) :] == "OFFSET $2"


def test_places_behind_a_list_that_is_cut():
    members = ", ".join(map(str, range(900)))
    sql = f"SELECT a FROM t WHERE b IN ({members}) AND c LIKE '%x'"
    text = linted(sql)
    (like,) = text.all(exp.Like)
    assert sql[text.position(like) :] == "c LIKE '%x'"


def test_places_are_told_in_the_text_that_was_sent():
    sent = "SELECT id FROM orders\nWHERE status = %(status)s AND total > %(total)s\nLIMIT %(most)s OFFSET %(skip)s"
    values = {2: (20,), 3: (5_000,)}
    (text,) = explainables(sent, "pyformat", values, dialect="postgresql", constants=lambda column: False)
    marks = marks_of(parsed(text.sql, dialect="postgresql", columns={}), text.sql)
    places = {mark.kind: text.original(mark.position) for mark in marks if mark.position is not None}
    assert sent[places["offset"] :] == "OFFSET %(skip)s"


def test_a_column_is_that_of_its_table():
    text = linted(
        "SELECT x.n FROM (SELECT o.number AS n FROM orders o) AS x WHERE x.n > 5", columns={"orders": ["id", "number"]}
    )
    (column,) = (column for column in text.all(exp.Column) if isinstance(column.parent, exp.GT))
    ref = text.column(column).plain
    assert (ref.scan.table, ref.column) == ("orders", "number")
    assert text.scan(ref.scan).alias == "o"


def test_expressions_are_shown_without_values():
    text = linted("SELECT a FROM t WHERE lower(b) = 'secret' AND c = $1")
    (where,) = text.all(exp.Where)
    assert text.spelled(where.this) == "lower(b) = ? AND c = ?"


def test_outermost_queries():
    text = linted("(SELECT a FROM t UNION SELECT b FROM u) UNION ALL SELECT c FROM (SELECT c FROM v) AS w")
    assert [select.expressions[0].name for select in text.outermost] == ["a", "b", "c"]
    assert linted("DELETE FROM t WHERE a IN (SELECT b FROM u)").outermost == ()


@pytest.mark.parametrize("sql", ["SELECT FROM WHERE", "CREATE TABLE t (a int)"])
def test_what_cannot_be_read_has_no_marks(sql):
    read = parsed(sql, dialect="postgresql", columns={})
    assert statement_marks(sql, read.facts, dialect="postgresql", columns={}) == ()


def test_a_detector_that_fails_costs_no_marks_of_others(monkeypatch):
    sql = "SELECT * FROM t LIMIT 5 OFFSET 5"
    read = parsed(sql, dialect="postgresql", columns={})
    before = {mark.kind for mark in marks_of(read, sql)}
    monkeypatch.setattr(LintedText, "keyword", lambda self, word, before: 1 / 0)
    assert {mark.kind for mark in marks_of(read, sql)} == before - {"offset", "unordered page"}
