"""What is said of a term is what the databases do: an index on its column is searched, or it is not.

Each condition of cases/conditions.toml and cases/parameters.toml is explained with an index on one of its columns.
"""

from __future__ import annotations

import sqlite3
import tomllib

import psycopg
import pytest
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect
from sqlalchemy.schema import CreateTable

from pytest_dbguard.sql.explainable import explainables
from pytest_dbguard.sql.facts.statement import statement_facts
from pytest_dbguard.sql.roles import placeholder_roles
from tests.databases.servers import embedded_server
from tests.sql.facts import models
from tests.sql.facts.test_sqlalchemy import compiled
from tests.sql.facts.test_written import CASES, COLUMNS

TYPES = {
    **dict.fromkeys(("id", "age", "customer_id", "order_id", "boss_id", "total", "quantity"), "INTEGER"),
    "is_active": "BOOLEAN",
    "created_at": "TIMESTAMP WITH TIME ZONE",
    "placed_at": "TIMESTAMP WITH TIME ZONE",
    "data": "JSONB",
    "tags": "INTEGER[]",
}
# what a database does with an index although, or because, the facts say less: none of it is worth an index
MORE = {
    "sqlite": ("IS NOT NULL", "NOTNULL", "NOT name IS NULL", "id = NULL", "IN (NULL)", "(id, age) = (age, 2)"),
    "postgresql": (
        *("NOT BETWEEN", "IS NOT NULL", "NOT name IS NULL", "id = id", "(id, age) = (age, 2)", "id < ANY", "SOME("),
        *("~ '^a'", "SIMILAR TO", "OPERATOR("),
    ),
}
# what it does not although the facts allow it: no statistics, no value to see, a type of its own
LESS = {
    "sqlite": ("IN ((1, 2), (3, 4))", "likely(id"),
    "postgresql": ("LIKE $1", "~~ $1", "id = 5.0", "avg(id)", "unnest($1", "current_user"),
}
# what the tables here do not have, and parameters of two types
UNKNOWN = ("$1 IS NULL", "$1 AND name = $1", "de-x-icu", '"Name" = $1', "(SELECT $1)", "REGEXP", "$1 = ANY(tags)")


def conditions(dialect):
    for topic in ("conditions", "parameters"):
        for case in tomllib.loads((CASES / f"{topic}.toml").read_text())["case"]:
            sql = case["sql"]
            is_asked = dialect in case or "both" in case
            if is_asked and not any(text in sql for text in (*UNKNOWN, *MORE[dialect], *LESS[dialect])):
                yield sql


def claims(sql, dialect):
    """Yield (table, column, whether an index on it serves) for the plain terms of a statement."""
    facts = statement_facts(sql, dialect=dialect, columns=COLUMNS)
    for scan in facts.scans:
        plain = {term.column for term in scan.terms if not term.wrapping and TYPES.get(term.column, "")[-1:] != "]"}
        for column in sorted(plain & set(COLUMNS[scan.table])):
            if TYPES.get(column) != "JSONB":
                served = any(term.is_sargable for term in scan.terms if term.column == column)
                yield scan.table, column, served


def ddl(dialect):
    for table, columns in COLUMNS.items():
        kinds = [TYPES.get(name, "TEXT") for name in columns]
        if dialect == "sqlite":
            kinds = [kind.partition(" ")[0].removesuffix("[]") for kind in kinds]
        yield f"CREATE TABLE {table} ({', '.join(map(' '.join, zip(columns, kinds, strict=True)))})"


@pytest.mark.parametrize("sql", list(conditions("sqlite")))
def test_sqlite_does_what_is_said(sql):
    value = "a*" if "GLOB" in sql else "a%"
    for table, column, served in claims(sql, "sqlite"):
        with sqlite3.connect(":memory:") as connection:
            for statement in ddl("sqlite"):
                connection.execute(statement)
            connection.execute("PRAGMA case_sensitive_like = on")
            connection.execute(f"CREATE INDEX ix ON {table} ({column})")
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", [value] * sql.count("?"))]
        is_searched = any("INDEX ix (" in line for line in plan)
        assert is_searched is served, (column, plan)


@pytest.fixture(scope="module")
def postgres():
    with embedded_server() as server:
        url = server.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
            for statement in ddl("postgresql"):
                connection.execute(statement)
            for kind in ("seqscan", "hashjoin", "mergejoin", "material", "memoize", "tidscan"):
                connection.execute(f"SET enable_{kind} = off")
            yield connection


@pytest.mark.parametrize("sql", list(conditions("postgresql")))
def test_postgres_does_what_is_said(postgres, sql):
    for table, column, served in claims(sql, "postgresql"):
        with postgres.transaction(force_rollback=True):
            postgres.execute(f"CREATE INDEX ix ON {table} ({column})")
            plan = [row[0] for row in postgres.execute(f"EXPLAIN (GENERIC_PLAN) {sql}")]
        is_searched = any("Index Cond" in line for line in plan) and any(" ix" in line for line in plan)
        assert is_searched is served, (column, plan)


# two parameters for one expression, an extension that is not there, a date compared with a text
REFUSED = {"date_trunc", "trigram", "date"}
# casts by ::, a collation and clauses of PostgreSQL alone
OF_POSTGRES = {"text", "collate", "fetch", "for update", "values"}


def sent(name, driver):
    text, style, dialect = compiled(name, driver)
    roles = enumerate(placeholder_roles(text, style))
    values = {place: (5,) if role.role in ("limit", "offset") else ("a%",) for place, role in roles}
    return explainables(text, style, values, dialect=dialect, constants=lambda column: column == "status")


def test_sqlite_plans_what_sqlalchemy_sends():
    names = [name for name in models.SELECTS | models.WRITES if name not in OF_POSTGRES]
    with sqlite3.connect(":memory:") as connection:
        for table in models.Base.metadata.sorted_tables:
            connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
        for name in names:
            for one in sent(name, "sqlite"):
                plan = connection.execute(f"EXPLAIN QUERY PLAN {one.sql}", ["5"] * one.sql.count("?")).fetchall()
                assert plan or name.startswith("insert"), name


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_postgres_plans_what_sqlalchemy_sends(postgres, driver):
    refused = {}
    with postgres.transaction(force_rollback=True):
        postgres.execute("CREATE SCHEMA shop")
        postgres.execute("SET search_path TO shop")
        for table in models.Base.metadata.sorted_tables:
            postgres.execute(str(CreateTable(table).compile(dialect=psycopg_dialect.dialect())))
        for name in models.SELECTS | models.POSTGRES | models.WRITES:
            for one in sent(name, driver):
                try:
                    with postgres.transaction():
                        postgres.execute(f"EXPLAIN (GENERIC_PLAN) {one.sql}")
                except psycopg.Error as error:
                    refused[name] = str(error)
    assert set(refused) == REFUSED, refused
