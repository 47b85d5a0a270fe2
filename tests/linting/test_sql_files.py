"""Which statements SQL files hold, where they stand, and what is not read."""

from __future__ import annotations

import textwrap

import pytest

from pytest_dbguard.linting.model import Origin
from pytest_dbguard.linting.sql_files import read_sql, sql_snippets


def read(text):
    return sql_snippets(textwrap.dedent(text).lstrip("\n"), "queries/users.sql")


def test_statements_with_their_places():
    first, second = read(
        """
        -- all of them
        SELECT *
          FROM users; DELETE FROM users -- not all
         WHERE id = 'é;';
        """
    )
    assert (first.text, first.style, first.origin) == ("SELECT *\n  FROM users", "qmark", Origin.SQL_FILE)
    assert (first.site.file, first.site.line, first.site.column) == ("queries/users.sql", 2, 1)
    assert first.lines == ((0, 2, 1), (9, 3, 1))
    assert second.text == "DELETE FROM users -- not all\n WHERE id = 'é;'"
    assert (second.site.line, second.site.column, second.site.end_line, second.site.end_column) == (3, 15, 4, 17)
    assert second.lines == ((0, 3, 15), (29, 4, 1))


def test_names_of_queries_are_their_functions():
    found = read(
        """
        -- name: get-user^
        -- One user.
        SELECT name FROM users WHERE id = :id

        -- name: DeleteUsers :exec
        DELETE FROM users;
        UPDATE users SET name = NULL
        """
    )
    assert [(each.text, each.site.function, each.style) for each in found] == [
        ("SELECT name FROM users WHERE id = :id", "get-user", "named"),
        ("DELETE FROM users", "DeleteUsers", "qmark"),
        ("UPDATE users SET name = NULL", "", "qmark"),
    ]


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("SELECT a FROM b WHERE c = :d AND e::int = 1", "named"),
        ("SELECT a FROM b WHERE c = $1", "numeric_dollar"),
        ("SELECT a FROM b WHERE c = %(d)s AND e LIKE '%s'", "pyformat"),
        ("SELECT a FROM b WHERE c = %s", "format"),
        ("SELECT a FROM b WHERE c = ?", "qmark"),
        ("SELECT a FROM b WHERE c = :1", "numeric"),
        ("SELECT a FROM b WHERE c = ':d' -- :e ? %s\n AND $$ $1 $$ = \":f\"", "qmark"),
        ("SELECT a FROM b WHERE c ? 'd' AND e = :f", "named"),
        ("SELECT a[1:2] FROM b", "qmark"),
    ],
)
def test_styles_of_parameters(text, style):
    (found,) = read(text)
    assert (found.text, found.style) == (text, style)


@pytest.mark.parametrize(
    ("text", "expected", "style"),
    [
        ("SELECT a FROM b WHERE c = @d AND e = 'f@g'", "SELECT a FROM b WHERE c = :d AND e = 'f@g'", "named"),
        ("SELECT a FROM b WHERE c = :'d' AND e = 1", "SELECT a FROM b WHERE c = :d AND e = 1", "named"),
        ('SELECT a FROM :"b" WHERE c = 1', "SELECT a FROM b WHERE c = 1", "qmark"),
        ("SELECT a FROM b WHERE c = sqlc.arg(d)", "SELECT a FROM b WHERE c = :d", "named"),
        ("SELECT a FROM b WHERE c = sqlc.narg('d')", "SELECT a FROM b WHERE c = :d", "named"),
        ("SELECT a FROM b WHERE e = ? AND c IN (sqlc.slice('d'))", "SELECT a FROM b WHERE e = ? AND c IN (?)", "qmark"),
        ("SELECT sqlc.embed(b), 1 FROM b", "SELECT b.*, 1 FROM b", "qmark"),
    ],
)
def test_what_no_driver_takes_is_replaced(text, expected, style):
    (found,) = read(text)
    assert (found.text, found.style) == (expected, style)
    last = found.lines[-1]
    assert text[last[2] - 1 :] == expected[last[0] :] or expected[last[0] :].startswith((":", "?", "b"))


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE a (b int);",
        "CREATE VIEW a AS SELECT * FROM b;",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;",
        "DO $$ BEGIN DELETE FROM a; END $$;",
        "EXPLAIN SELECT 1;",
        "SET search_path = a;",
        "BEGIN; COMMIT;",
        "\\set a 1",
        "COPY a (b) FROM stdin;\nSELECT 1;\n\\.\n",
        "-- SELECT 1;",
    ],
)
def test_what_is_not_judged(text):
    assert read_sql(text, "a.sql") == read_sql("", "a.sql")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("SELECT 1;\nSELECT {{ column }} FROM a;", "a.sql:2: not read (a template)"),
        ("SELECT 1;\nSELECT * FROM {{ ref('a') }};", "a.sql:2: not read (a template)"),
        ("SELECT 1;\nSELECT * FROM ${schema}.a;", "a.sql:2: not read (a template)"),
        ("SELECT 1;\n\nSELECT 'a FROM b;", "a.sql:3: not read (a quote or comment in it never ends)"),
        (f"SELECT 1;\nSELECT {'1, ' * 50_000} 1;", "a.sql:2: not read (longer than 100000 characters)"),
    ],
)
def test_what_cannot_be_read_is_told_and_costs_no_other(text, problem):
    found = read_sql(text, "a.sql")
    assert [each.text for each in found.snippets] == ["SELECT 1"]
    assert found.problems == (problem,)


def test_a_template_with_blocks_is_not_read_at_all():
    found = read_sql("{% if a %}SELECT 1{% else %}SELECT 2{% endif %};", "a.sql")
    assert (found.snippets, found.problems) == ((), ("a.sql: not read (a template)",))


def test_braces_of_arrays_are_no_template():
    assert len(read("SELECT '{{1,2},{3,4}}'::int[] FROM a;")) == 1


def test_of_rows_that_are_inserted_one_by_one_the_first_stands_for_all():
    text = "INSERT INTO a (b) VALUES (1);\ninsert into a (b)\nvalues (2);\nINSERT INTO c VALUES (1);\n"
    assert [each.site.line for each in read(text)] == [1, 4]
    assert len(read("INSERT INTO a VALUES (:b);\nINSERT INTO a VALUES (:c);")) == 2


def test_windows_line_ends():
    first, second = sql_snippets("SELECT 1\r\nFROM a;\r\n\r\n  SELECT 2;\r\n", "a.sql")
    assert (first.text, first.lines) == ("SELECT 1\nFROM a", ((0, 1, 1), (9, 2, 1)))
    assert (second.site.line, second.site.column) == (4, 3)
