"""DBG405: what is offered instead asks for the same rows, and for more where there is a NULL."""

from __future__ import annotations

import sqlite3

import pytest
from assessments import judged, statement

from pytest_dbguard.core.findings import Certainty
from pytest_dbguard.rules.not_in_subquery import NotInSubquery
from pytest_dbguard.schema.catalog import Column, Table
from pytest_dbguard.sql.facts.statement import parsed
from pytest_dbguard.sql.lint.statement import marks_of

COLUMNS = {"country": ("id", "name"), "customer": ("id", "country_id", "vip")}
TABLES = (
    Table("public", "country", columns=(Column("id", "integer", nullable=False), Column("name", "text"))),
    Table("public", "customer", columns=(Column("id", "integer", nullable=False), Column("country_id", "integer"))),
)


def found(sql, tables=TABLES):
    marks = marks_of(parsed(sql, dialect="postgresql", columns=COLUMNS if tables else {}), sql)
    return judged(NotInSubquery, statement(marks=marks), tables=tables)


@pytest.mark.parametrize(
    ("test", "exists"),
    [
        (
            "id NOT IN (SELECT country_id FROM customer)",
            "NOT EXISTS (SELECT 1 FROM customer WHERE country_id = country.id)",
        ),
        (
            "country.id NOT IN (SELECT DISTINCT c.country_id FROM customer AS c WHERE c.vip = 1 ORDER BY c.country_id)",
            "NOT EXISTS (SELECT 1 FROM customer AS c WHERE c.vip = ? AND c.country_id = country.id)",
        ),
        ("id NOT IN (SELECT country_id FROM customer LIMIT 5)", ""),
        ("id NOT IN (SELECT country_id FROM customer GROUP BY country_id)", ""),
    ],
)
def test_what_is_offered_instead(test, exists):
    [finding] = found(f"SELECT id FROM country WHERE {test}")
    assert finding.fix.code == exists or (not exists and finding.fix.code.startswith(".where("))
    assert "NOT EXISTS" in finding.fix.title


def test_it_finds_the_rows_that_one_null_hides():
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        "CREATE TABLE country (id, name); CREATE TABLE customer (id, country_id, vip);"
        "INSERT INTO country VALUES (1, 'a'), (2, 'b'); INSERT INTO customer VALUES (1, 1, 1), (2, NULL, 1)"
    )
    sql = "SELECT id FROM country WHERE id NOT IN (SELECT country_id FROM customer)"
    [finding] = found(sql)
    assert connection.execute(sql).fetchall() == []
    assert connection.execute(f"SELECT id FROM country WHERE {finding.fix.code}").fetchall() == [(2,)]
    connection.close()


def test_without_a_schema_it_only_says_if():
    [finding] = found("SELECT id FROM country WHERE id NOT IN (SELECT country_id FROM customer)", tables=())
    assert finding.certainty is Certainty.LIKELY
    assert finding.message.startswith("if `customer.country_id` is ever NULL")
