"""The facts of what SQLAlchemy sends, for SQLite, psycopg and asyncpg."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg, psycopg

from pytest_dbguard.sql.explainable import explainables
from pytest_dbguard.sql.facts.statement import statement_facts
from pytest_dbguard.sql.roles import placeholder_roles
from tests.sql.facts import models
from tests.sql.facts.rendering import lines_of

EXPECTED = tomllib.loads((Path(__file__).parent / "cases" / "sqlalchemy.toml").read_text())
DRIVERS = {
    "sqlite": (sqlite.dialect, "qmark", "sqlite"),
    "psycopg": (psycopg.dialect, "pyformat", "postgresql"),
    "asyncpg": (asyncpg.dialect, "numeric_dollar", "postgresql"),
}
STATEMENTS = models.SELECTS | models.POSTGRES | models.WRITES


def compiled(name, driver):
    make_dialect, style, dialect = DRIVERS[driver]
    options = {"render_postcompile": True}
    return str(STATEMENTS[name]().compile(dialect=make_dialect(), compile_kwargs=options)), style, dialect


def cases():
    for name in STATEMENTS:
        for driver, (_, _, dialect) in DRIVERS.items():
            expected = EXPECTED[name].get(dialect, EXPECTED[name].get("both"))
            if expected is not None:
                yield pytest.param(name, driver, expected, id=f"{name}-{driver}")


@pytest.mark.parametrize(("name", "driver", "expected"), list(cases()))
def test_facts(name, driver, expected):
    text, style, dialect = compiled(name, driver)
    (one,) = explainables(text, style, {}, dialect=dialect, constants=lambda column: False)
    facts = statement_facts(one.sql, dialect=dialect, columns=models.COLUMNS)
    assert lines_of(facts) == expected
    assert len(placeholder_roles(text, style)) >= len(one.ordinals)
    assert not facts.unresolved


def test_all_statements_have_an_expectation():
    assert set(EXPECTED) == set(STATEMENTS)
