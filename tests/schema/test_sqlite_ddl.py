"""What is read of SQLite's own statements, whatever way they are written."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.schema.catalog import Check
from pytest_dbguard.schema.sqlite_ddl import read_index, read_table, read_view, unquoted
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite
from tests.schema.conftest import fetcher


@pytest.mark.parametrize(
    ("written", "name"),
    [('"a ""b"', 'a "b'), ("`a ``b`", "a `b"), ("[a b]", "a b"), ("plain", "plain"), ("'text'", "text")],
)
def test_names_lose_their_quotes(written, name):
    assert unquoted(written) == name


def test_a_table_is_read_over_comments_and_texts():
    text = read_table(
        "create table t(a text collate nocase default 'collate x', -- b collate rtrim, (\n"
        "b int /* check (no) */ check(b>0 and (b<9)), c as (a||',)') , constraint \"x,y\" check (a<>'(')) without rowid"
    )
    assert text.collations == {"a": "nocase"}
    assert text.generated == {"c": "a||',)'"}
    assert text.checks == (Check("", "b>0 and (b<9)"), Check("x,y", "a<>'('"))
    assert text.is_without_rowid
    assert not text.is_strict


def test_a_table_of_a_query_tells_nothing():
    assert read_table("CREATE TABLE t AS SELECT 1").collations == {}


@pytest.mark.parametrize(
    ("sql", "keys", "predicate"),
    [
        ("CREATE INDEX i ON t (a)", ("a",), ""),
        ("CREATE INDEX i ON t(a DESC, b COLLATE NOCASE ASC)", ("a", "b"), ""),
        ("CREATE INDEX i ON t (f(a, b), c) WHERE a = ')' AND (b)", ("f(a, b)", "c"), "a = ')' AND (b)"),
        ('CREATE INDEX "i (x)" ON "t (y)" ("a,b")', ('"a,b"',), ""),
        ("CREATE INDEX i ON t (CASE WHEN a THEN 1 END)", ("CASE WHEN a THEN 1 END",), ""),
    ],
)
def test_an_index_is_cut_into_keys_and_predicate(sql, keys, predicate):
    found = read_index(sql)
    assert (found.keys, found.predicate) == (keys, predicate)


def test_the_query_of_a_view_begins_after_its_own_as():
    assert read_view("CREATE VIEW \"AS\" (a, b) AS SELECT 1 AS a, 'AS' AS b;") == "SELECT 1 AS a, 'AS' AS b"


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6).filter(
    lambda text: text.strip()
)


@given(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold))
def test_any_name_survives(names):
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    connection = sqlite3.connect(":memory:")
    columns = ", ".join(f"{name} TEXT COLLATE NOCASE CHECK ({name} <> ',')" for name in quoted)
    connection.execute(f"CREATE TABLE t ({columns})")
    connection.execute(f"CREATE INDEX i ON t (upper({quoted[0]}), {', '.join(quoted)}) WHERE {quoted[-1]} IS NOT NULL")
    table = reflect_sqlite(fetcher(connection)).table("t")
    connection.close()
    assert [column.name for column in table.columns] == names
    assert {column.collation for column in table.columns} == {"NOCASE"}
    assert table.indexes[0].columns == (None, *names)
    assert table.indexes[0].keys[0].expression == f"upper({quoted[0]})"
    assert table.indexes[0].predicate == f"{quoted[-1]} IS NOT NULL"
    assert len(table.checks) == len(names)
