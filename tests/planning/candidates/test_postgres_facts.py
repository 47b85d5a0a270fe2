"""What the proposals take for granted of PostgreSQL, asked of PostgreSQL: comparisons by index, and what it indexes."""

from __future__ import annotations

import psycopg
import pytest

from pytest_dbguard.planning.candidates.column_types import compares_by_index, family_of_type
from pytest_dbguard.planning.candidates.unusable import unusable
from pytest_dbguard.schema.catalog import Column, Dialect, Table
from pytest_dbguard.sql.facts.statement import statement_facts
from tests.planning.candidates.tables import catalog

COLUMNS = {
    "n": "integer",
    "big": "bigint",
    "m": "numeric",
    "f": "double precision",
    "code": "character(4)",
    "name": "character varying(40)",
    "body": "text",
    "at": "timestamp without time zone",
    "seen": "timestamp with time zone",
    "born": "date",
    "active": "boolean",
}
OPERANDS = [
    *(("n", "bigint"), ("n", "numeric"), ("n", "double precision"), ("big", "integer"), ("big", "numeric")),
    *(("m", "integer"), ("m", "double precision"), ("f", "integer"), ("f", "numeric")),
    *(("code", "varchar"), ("code", "text"), ("code", "char(4)"), ("name", "text"), ("body", "varchar")),
    *(("at", "date"), ("at", "timestamptz"), ("seen", "timestamp"), ("born", "timestamp")),
]
EXPRESSIONS = [
    *("lower(name)", "date(at)", "date(seen)", "date(born)", "at::date", "seen::date", "EXTRACT(year FROM at)"),
    *("EXTRACT(year FROM seen)", "EXTRACT(year FROM born)", "to_char(at, 'YYYY')", "date_trunc('month', at)"),
    *("date_trunc('month', seen)", "CAST(n AS VARCHAR)", "CAST(born AS VARCHAR)", "CAST(at AS VARCHAR)", "n + 1"),
    *("trim(name)", "substr(name, 1, 3)", "upper(body)", "abs(n)", "CAST(m AS INTEGER)", "CAST(f AS TEXT)"),
]


@pytest.fixture(scope="module")
def server(planner):
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    planner.execute(f"CREATE TABLE fact (id integer PRIMARY KEY, {columns})")
    for name in COLUMNS:
        planner.execute(f"CREATE INDEX ON fact ({name})")
    planner.execute("SET enable_seqscan = off")
    yield planner
    planner.execute("DROP TABLE fact")
    planner.execute("RESET enable_seqscan")


@pytest.mark.parametrize(("column", "operand"), OPERANDS)
def test_comparisons_by_index(server, column, operand):
    families = (family_of_type(kind, Dialect.POSTGRESQL) for kind in (COLUMNS[column], operand))
    text = f"EXPLAIN (COSTS OFF) SELECT id FROM fact WHERE {column} = (SELECT NULL::{operand})"
    lines = "\n".join(row[0] for row in server.execute(text))
    assert compares_by_index(*families, Dialect.POSTGRESQL) == ("Index Cond" in lines), lines


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_index_on_an_expression_is_proposed_where_one_can_be_made(server, expression):
    columns = tuple(Column(name, kind) for name, kind in COLUMNS.items())
    made = catalog(Table("public", "fact", columns=(Column("id", "integer"), *columns)))
    sql = f"SELECT id FROM fact WHERE {expression} = $1"
    facts = statement_facts(sql, dialect="postgresql", columns=made.columns_of(["fact"]))
    (found,) = unusable(facts, made, None, sql=sql)
    assert (found.spec is not None) == can_be_made(server, f"({expression})")
    if found.spec is not None:
        server.execute(f"CREATE INDEX by_expression ON fact ({found.spec.keys[0]})")
        plan = "\n".join(row[0] for row in server.execute(f"EXPLAIN {sql.replace('= $1', 'IS NULL')}"))
        server.execute("DROP INDEX by_expression")
        assert "by_expression" in plan, plan


def can_be_made(server, *keys):
    try:
        server.execute(f"CREATE INDEX tried ON fact ({', '.join(keys)})")
    except psycopg.Error:
        return False
    server.execute("DROP INDEX tried")
    return True
