"""DBG407: what is offered instead returns rows, each of them sometimes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from assessments import judged, statement

from pytest_dbguard.planning.workload import Exemplar
from pytest_dbguard.rules.random_order import RandomOrder, RandomOrderOptions
from pytest_dbguard.schema.catalog import Column, Dialect, Table
from pytest_dbguard.sql.lint.model import LintMark, MarkKind

QUOTE = Table("", "quote", columns=(Column("id", "INTEGER", nullable=False),), primary_key=("id",))
MARK = LintMark(MarkKind.RANDOM_ORDER, "quote", "quote", alias="orders", expression="random()", detail="limited")


class Rule(RandomOrder):
    def __init__(self, options):
        super().__init__(RandomOrderOptions())


def code(text, table=QUOTE, dialect=Dialect.SQLITE):
    found = statement(marks=(MARK,))
    found = replace(found, statement=replace(found.statement, exemplar=Exemplar(text, "qmark")))
    [finding] = judged(Rule, found, tables=(table,), dialect=dialect)
    return finding.fix.code


@pytest.fixture
def rows():
    """Run a statement often, and return the keys that came back."""
    engine = sa.create_engine("sqlite://")
    quote = sa.Table("quote", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    with engine.connect() as connection:
        quote.create(connection)
        connection.execute(quote.insert(), [{"id": number} for number in range(1, 4)])

        def run(made):
            given = {"quote": quote, "select": sa.select, "func": sa.func}
            made = made if made.startswith("SELECT") else eval(made, given)
            return [connection.scalars(sa.text(made) if isinstance(made, str) else made).first() for _ in range(200)]

        yield run
    engine.dispose()


def test_as_sql(rows):
    found = rows(f"SELECT id FROM quote {code('SELECT 1')} LIMIT 1")
    assert set(found) == {1, 2, 3}


def test_as_sqlalchemy(rows):
    made = code("SELECT quote.id \nFROM quote ORDER BY random()").replace("\n", "")
    assert set(rows(f"select(quote){made}")) == {1, 2, 3}


def test_without_a_key_that_is_a_number_there_is_no_code():
    text_key = replace(QUOTE, columns=(Column("id", "TEXT", nullable=False),))
    assert code("SELECT 1", text_key) == ""


def test_postgresql_draws_a_share():
    made = code("SELECT 1", replace(QUOTE, schema="public"), Dialect.POSTGRESQL)
    assert made == "WHERE id >= (SELECT random() * max(id) FROM quote)\nORDER BY id"
