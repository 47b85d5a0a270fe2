"""The facts of statements that people write: cases/*.toml, each with what is told of it in one dialect or both."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pytest_dbguard.sql.facts.statement import statement_facts
from tests.sql.facts.rendering import lines_of

CASES = Path(__file__).parent / "cases"
TOPICS = ("conditions", "joins", "names", "order", "parameters", "problems", "queries", "writes")
COLUMNS = {
    "customers": ("id", "name", "city", "age", "email", "is_active", "created_at", "data", "tags"),
    "orders": ("id", "customer_id", "status", "total", "placed_at", "data"),
    "items": ("id", "order_id", "sku", "quantity"),
    "tags": ("id", "name"),
    "employees": ("id", "boss_id", "name"),
}


def cases():
    for topic in TOPICS:
        for number, case in enumerate(tomllib.loads((CASES / f"{topic}.toml").read_text())["case"]):
            for dialect in ("postgresql", "sqlite"):
                expected = case.get(dialect, case.get("both"))
                if expected is not None:
                    yield pytest.param(case["sql"], dialect, expected, id=f"{topic}-{number}-{dialect}")


@pytest.mark.parametrize(("sql", "dialect", "expected"), list(cases()))
def test_facts(sql, dialect, expected):
    assert lines_of(statement_facts(sql, dialect=dialect, columns=COLUMNS)) == expected


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
@pytest.mark.parametrize("call", ["replace(name, 'a', 'b')", "call(name)", "refresh(name)"])
def test_a_call_that_is_named_like_a_command_is_read_without_a_word(call, dialect, caplog):
    sql = f"SELECT id FROM customers WHERE {call} = 'x'"
    (scan,) = statement_facts(sql, dialect=dialect, columns=COLUMNS).scans
    assert [term.expression for term in scan.terms] == [call]
    assert caplog.records == []
