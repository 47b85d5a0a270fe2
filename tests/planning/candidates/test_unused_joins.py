"""Joins for nothing, and those that only look like it."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.candidates.unused_joins import unused_joins
from pytest_dbguard.schema.catalog import Dialect, ForeignKey
from pytest_dbguard.sql.facts.statement import statement_facts
from tests.planning.candidates.tables import catalog, column, index, table

KEY = ForeignKey("fk", ("author_id",), "public", "author", ("id",))
BOOK = table("book", "title", column("author_id", nullable=False), "editor_id", foreign_keys=(KEY,))
AUTHOR = table("author", "name", column("code"), indexes=(index("author_code_key", "code", is_unique=True),))


def found(sql, dialect=Dialect.POSTGRESQL):
    made = catalog(BOOK, AUTHOR, dialect=dialect)
    facts = statement_facts(sql, dialect=dialect.value, columns=made.columns_of(["book", "author"]))
    assert facts.is_analysed, facts.problem
    return [(each.alias, each.kind) for each in unused_joins(facts, made, sql=sql)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT book.id FROM book LEFT OUTER JOIN author ON author.id = book.author_id WHERE book.title = $1",
        "SELECT count(*) AS n FROM book LEFT OUTER JOIN author ON author.id = book.author_id",
        "SELECT book.id FROM book LEFT OUTER JOIN author ON author.code = book.editor_id",
        "SELECT book.* FROM book LEFT OUTER JOIN author ON author.id = book.author_id",
        "SELECT book.id FROM book LEFT OUTER JOIN author ON author.id = book.author_id AND author.name = $1",
    ],
)
def test_an_outer_join_to_one_row(sql):
    assert found(sql) == [("author", "left")]


def test_an_inner_join_that_a_foreign_key_keeps():
    sql = "SELECT book.id FROM book JOIN author AS a ON a.id = book.author_id"
    assert found(sql) == [("a", "inner")]
    # SQLite enforces no foreign keys unless it is asked to
    assert found(sql, Dialect.SQLITE) == []


def test_a_chain_of_which_nothing_is_read():
    joins = "book LEFT JOIN author a ON a.id = book.author_id LEFT JOIN author b ON b.id = a.code"
    assert found(f"SELECT book.id FROM {joins}") == [("b", "left"), ("a", "left")]
    assert found(f"SELECT b.name FROM {joins}") == []
    assert found(f"SELECT a.name FROM {joins}") == [("b", "left")]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT book.id, author.name FROM book LEFT OUTER JOIN author ON author.id = book.author_id",
        "SELECT book.id, author.id FROM book LEFT OUTER JOIN author ON author.id = book.author_id",
        "SELECT * FROM book LEFT OUTER JOIN author ON author.id = book.author_id",
        "SELECT book.id FROM book LEFT OUTER JOIN author ON author.id = book.author_id WHERE author.id IS NULL",
        "SELECT book.id FROM book LEFT OUTER JOIN author ON author.id = book.author_id ORDER BY author.name",
        "SELECT title, name FROM book LEFT OUTER JOIN author ON author.id = book.author_id",
        "SELECT book.id FROM book LEFT OUTER JOIN author ON author.name = book.title",
        "SELECT author.id FROM author LEFT OUTER JOIN book ON book.author_id = author.id",
        "SELECT book.id FROM book JOIN author ON author.id = book.editor_id",
        "SELECT book.id FROM book JOIN author ON author.code = book.author_id",
        "SELECT book.id FROM book JOIN author ON author.id = book.author_id FOR UPDATE",
        "SELECT book.id FROM book JOIN author ON author.id = book.author_id AND author.name = $1",
        "SELECT b.id FROM book LEFT OUTER JOIN author ON author.id = book.author_id "
        "JOIN book b ON b.editor_id = author.code",
        "SELECT book.id FROM book LEFT OUTER JOIN author ON author.id = book.author_id "
        "WHERE EXISTS (SELECT 1 FROM book b WHERE b.title = author.name)",
    ],
)
def test_silent(sql):
    assert found(sql) == []


def test_nothing_is_said_without_the_text():
    facts = statement_facts("SELECT 1", dialect="postgresql", columns={})
    assert unused_joins(facts, catalog(BOOK)) == ()
