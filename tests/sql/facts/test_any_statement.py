"""Whatever the text: facts come back, never an exception, and nothing but names of it."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_dbguard.sql.facts.model import StatementFacts
from pytest_dbguard.sql.facts.statement import statement_facts
from pytest_dbguard.sql.placeholders import lexemes
from tests.sql.facts.test_written import CASES, COLUMNS

STEADY = settings(derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
DIALECTS = st.sampled_from(["postgresql", "sqlite"])
STATEMENTS = [
    [token.text for token in lexemes(case["sql"], "qmark")]
    for topic in ("joins", "queries", "writes")
    for case in tomllib.loads((CASES / f"{topic}.toml").read_text())["case"]
]
TOKENS = st.sampled_from(STATEMENTS).flatmap(st.sampled_from)


def facts(text, dialect) -> StatementFacts:
    found = statement_facts(text, dialect=dialect, columns=COLUMNS)
    assert "not understood" not in found.problem
    assert not (found.problem and (found.scans or found.joins or found.written))
    numbers = {scan.query for scan in found.scans}
    assert all(term.column for scan in found.scans for term in scan.terms)
    assert numbers <= set(range(len(text) + 1))
    return found


@STEADY
@given(st.data(), st.sampled_from(STATEMENTS), DIALECTS)
def test_a_statement_that_lost_or_gained_tokens(data, tokens, dialect):
    tokens = list(tokens)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(tokens)))
        if data.draw(st.booleans()):
            tokens.insert(place, data.draw(TOKENS))
        else:
            del tokens[place : place + 1]
    facts(" ".join(tokens), dialect)


@STEADY
@given(st.one_of(st.text(), st.lists(TOKENS, max_size=20).map(" ".join)), DIALECTS)
@example("SELECT " + "(" * 90 + "1" + ")" * 90, "postgresql")
@example("SELECT " + "(" * 5000, "postgresql")
@example("SELECT 1 WHERE " + " AND ".join(["a = 1"] * 1000), "postgresql")
@example("SELECT 1 WHERE " + " OR ".join(["a = 1"] * 1000), "sqlite")
@example("SELECT " + " + ".join(["a"] * 1000), "postgresql")
@example("SELECT 1" + " UNION ALL SELECT 1" * 200, "postgresql")
@example("SELECT 1 FROM a WHERE " + "NOT " * 2000 + "b", "postgresql")
@example("SELECT 1 FROM a" + " JOIN b USING (c)" * 100, "postgresql")
@example("SELECT " + "CASE WHEN a THEN " * 300 + "1" + " END" * 300, "postgresql")
@example("\x00", "sqlite")
def test_any_text(text, dialect):
    facts(text, dialect)


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_long_lists_are_read_at_their_beginning(dialect):
    sign = "${}" if dialect == "postgresql" else "?"
    members = ", ".join(sign.format(number) for number in range(2, 20_002))
    found = facts(f"SELECT id FROM orders WHERE status = {sign.format(1)} AND id IN ({members}) LIMIT 5", dialect)
    (scan,) = found.scans
    assert [(term.column, term.ordinal) for term in scan.terms] == [("status", 0), ("id", 1)]
    found = facts(f"SELECT id FROM orders WHERE id IN ({members}) AND status = {sign.format(20_002)}", dialect)
    assert found.scans[0].terms[1].ordinal == (20_001 if dialect == "postgresql" else 20_000)


def test_literals_stay_in_conditions():
    """What is shown to people are names of columns and expressions; a condition may hold literals and is not shown."""
    text = "SELECT id FROM orders WHERE status = 'secret' AND total > 4711 AND lower(status) LIKE 'secret%'"
    (scan,) = facts(text, "postgresql").scans
    shown = [repr((term.column, term.expression, term.pattern, term.operand)) for term in scan.terms]
    assert not [line for line in shown if "secret" in line or "4711" in line]
    assert "secret" in scan.terms[0].condition


@pytest.mark.parametrize("columns", [{}, {"orders": ("id",)}, {"public.orders": ("status",), "ORDERS": ("total",)}])
def test_columns_that_are_not_known(columns):
    found = statement_facts("SELECT id FROM orders WHERE status = 5", dialect="postgresql", columns=columns)
    assert found.is_analysed
    assert bool(found.unresolved) == ("orders" in columns)


def test_a_table_is_known_by_its_schema_first():
    columns = {"orders": ("a",), "sales.orders": ("b",)}
    text = "SELECT b FROM sales.orders, tags WHERE b = 5"
    found = statement_facts(text, dialect="postgresql", columns={**columns, "tags": ("a",)})
    assert found.scan("orders").terms[0].column == "b"
    assert found.tables == ("sales.orders", "tags")
    assert found.scan("nothing") is None
    assert found.scan("orders", 5) is None


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("INTEGER", "INTEGER"),
        ("BIGINT", "BIGINT"),
        ("VARCHAR(20)", "VARCHAR(20)"),
        ("CHARACTER VARYING(20)", "VARCHAR(20)"),
        ("TEXT", "TEXT"),
        ("NUMERIC(10, 2)", "NUMERIC(10, 2)"),
        ("DOUBLE PRECISION", "DOUBLE PRECISION"),
        ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"),
        ("TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP"),
        ("DATE", "DATE"),
        ("BOOLEAN", "BOOLEAN"),
        ("UUID", "UUID"),
        ("order_status", "ORDER_STATUS"),
    ],
)
def test_types_of_operands(written, told):
    for text in (f"id = $1::{written}", f"id = CAST($1 AS {written})", f"id = ANY($1::{written}[])"):
        (scan,) = facts(f"SELECT 1 FROM orders WHERE {text}", "postgresql").scans
        assert [term.operand_type for term in scan.terms] == [told]
    (scan,) = facts(f"SELECT 1 FROM orders WHERE id::{written} = $1", "postgresql").scans
    assert scan.terms[0].cast_to == told


def test_types_of_numbers():
    (scan,) = facts("SELECT 1 FROM orders WHERE id = 5 AND total > 5.5 AND status = '5.5'", "postgresql").scans
    assert [term.operand_type for term in scan.terms] == ["", "NUMERIC", ""]
    (scan,) = facts("SELECT 1 FROM orders WHERE total > 5.5 AND id = CAST(? AS NUMERIC)", "sqlite").scans
    assert [term.operand_type for term in scan.terms] == ["", "NUMERIC"]


def test_what_a_join_reads_beyond_its_equation():
    """An outer join of which nothing is read is one that can go."""
    text = "SELECT o.id FROM orders o LEFT JOIN customers c ON c.id = o.customer_id {}"
    for more, read in (("", set()), ("WHERE c.city = 'x'", {"city"}), ("ORDER BY c.name", {"name"})):
        scan = facts(text.format(more), "postgresql").scan("c")
        assert (scan.read, scan.columns, scan.is_whole) == (read, read | {"id"}, False)
    assert facts("SELECT * FROM orders o LEFT JOIN customers c ON c.id = o.customer_id", "sqlite").scan("c").is_whole
    assert facts(text.format("GROUP BY o.id, c.*"), "postgresql").scan("c").is_whole
    own = facts("SELECT o.id FROM orders o LEFT JOIN customers c ON c.id = o.customer_id AND c.age = 5", "sqlite")
    assert own.scan("c").read == {"age"}


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
@pytest.mark.parametrize("value", ["TRUE", "FALSE", "NULL", "1", "'a'", "CURRENT_DATE", "-1"])
def test_values_without_a_column_are_returned_like_others(value, dialect):
    found = facts(f"SELECT {value} FROM orders LIMIT 1", dialect)
    assert (found.problem, found.tables) == ("", ("orders",))
