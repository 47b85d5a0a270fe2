"""Where a statement of an SQL file ends."""

from __future__ import annotations

import pytest

from pytest_dbguard.templates.sql_split import MetaCommand, Statement, split_postgres, split_sqlite

WHOLE = [
    "SELECT ';'",
    "SELECT 'it''s; ok'",
    r"SELECT '\', 1",
    r"SELECT E'\'; \\', 1",
    "SELECT e'a;''b'",
    'SELECT ";" FROM "a;""b"',
    "SELECT $$;$$, $tag$ ; $$ ; $tag$, $a1$;$a1$",
    "SELECT a$b$c, 1 AS x$y$z",
    "SELECT 1 -- ; no end",
    "SELECT 1 /* ; /* ; */ ; */ + 2",
    "SELECT $1::int, 100 % 7, :a, 'b' || ':c'",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
    "create or replace procedure p() begin atomic select 1; end",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$",
    "DO $$ BEGIN PERFORM 1; END $$",
    "CREATE TABLE é (ü int DEFAULT 1)",
]


@pytest.mark.parametrize("sql", WHOLE)
def test_a_semicolon_inside_ends_nothing(sql):
    ended = sql if "--" not in sql else f"{sql}\n"
    assert [each.sql for each in split_postgres(f"{ended};{ended};SELECT 3")] == [f"{ended};", f"{ended};", "SELECT 3"]


def test_all_of_them_in_one_file():
    text = ";\n".join(f"{sql}\n" for sql in WHOLE)
    assert [each.sql.rstrip(";\n") for each in split_postgres(text)] == WHOLE


def test_transactions_are_no_blocks():
    assert [each.sql for each in split_postgres("BEGIN; SELECT 1; END; CASE; END;")] == [
        "BEGIN;", "SELECT 1;", "END;", "CASE;", "END;",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", ";", " ; ;\n", "-- only this", "/* and */ -- this\n;"])
def test_nothing_is_no_statement(text):
    assert list(split_postgres(text)) == []
    assert list(split_sqlite(text)) == []


def test_lines_are_those_where_statements_begin():
    text = "-- first\n\nSELECT\n1; SELECT 2;\n/* a\nb */ SELECT 3"
    assert [(each.line, each.sql) for each in split_postgres(text)] == [
        (3, "SELECT\n1;"), (4, "SELECT 2;"), (6, "SELECT 3"),
    ]  # fmt: skip


def test_rows_of_copy():
    text = (
        "COPY public.t (a, b) FROM stdin;\n1\t;'\"$$\\\\.\n\\.\n\ncopy u from STDIN with (format csv);\n\\.\nSELECT 1;"
    )
    assert list(split_postgres(text)) == [
        Statement("COPY public.t (a, b) FROM stdin;", 1, "1\t;'\"$$\\\\.\n"),
        Statement("copy u from STDIN with (format csv);", 5, ""),
        Statement("SELECT 1;", 7),
    ]


@pytest.mark.parametrize(("end", "rows"), [("", ""), ("\n", ""), ("\n1\n2", "1\n2"), ("\r\n1\r\n\\.\r\n", "1\r\n")])
def test_copy_at_the_end_of_a_file(end, rows):
    assert [each.rows for each in split_postgres(f"COPY t FROM stdin;{end}")] == [rows]


def test_other_copies_have_no_rows():
    statements = split_postgres("COPY t TO stdout; COPY t FROM '/tmp/x'; COMMENT ON TABLE t IS 'COPY t FROM stdin';")
    assert [each.rows for each in statements] == [None, None, None]


def test_what_pg_dump_writes_for_psql_is_passed_over():
    text = "--\n\\restrict abc\n\nSELECT 1;\n\n\\unrestrict abc\n"
    assert [(each.sql, each.line) for each in split_postgres(text)] == [("SELECT 1;", 4)]


@pytest.mark.parametrize(
    ("text", "command", "line"),
    [
        ("SELECT 1;\n\\connect shop\n", "\\connect", 2),
        ("SELECT 1 \\gexec\n", "\\gexec", 1),
        ("\\i other.sql", "\\i", 1),
        ("SELECT 1\n\\restrict abc", "\\restrict", 2),
    ],
)
def test_other_commands_of_psql_are_refused(text, command, line):
    with pytest.raises(MetaCommand) as caught:
        list(split_postgres(text))
    assert (caught.value.command, caught.value.line) == (command, line)


def test_sqlite_says_itself_where_a_statement_ends():
    trigger = "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; SELECT ';'; END;"
    text = f"-- a; b\nCREATE TABLE t(a); {trigger}\n\nINSERT INTO t VALUES ('x;y');; -- end; c"
    assert [(each.sql, each.line) for each in split_sqlite(text)] == [
        ("CREATE TABLE t(a);", 2), (trigger, 2), ("INSERT INTO t VALUES ('x;y');", 4),
    ]  # fmt: skip
