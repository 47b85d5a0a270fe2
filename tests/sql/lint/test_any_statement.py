"""Whatever the statement: no detector of marks raises, places lie within the text, and no literal shows."""

from __future__ import annotations

import tomllib
from importlib import import_module

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_dbguard.sql.facts.statement import parsed
from pytest_dbguard.sql.lint.statement import DETECTORS
from pytest_dbguard.sql.lint.text import LintedText
from pytest_dbguard.sql.placeholders import lexemes
from tests.sql.facts.test_written import CASES, COLUMNS

STEADY = settings(derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
OWN = [
    "WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM a OFFSET 5",
    "SELECT o.*, c.name FROM orders o LEFT JOIN customer c ON c.id = o.customer_id AND c.name LIKE '%secret' LIMIT 5",
    "SELECT id FROM orders WHERE id NOT IN (SELECT x.id FROM (SELECT id FROM orders OFFSET 3) x UNION SELECT 4711)",
    "SELECT DISTINCT count(*) FROM orders WHERE status <> ALL (SELECT NULL) GROUP BY 1 HAVING count(*) > 0",
    "WITH a AS (SELECT * FROM orders ORDER BY random() LIMIT 2) SELECT * FROM a, orders b WHERE instr(b.status, ?) > 0",
    "SELECT id FROM orders WHERE status = NULL OR total IN (1, 2, NULL) OR id = ? ORDER BY 2, status DESC OFFSET 9",
]
STATEMENTS = [
    [token.text for token in lexemes(sql, "qmark")]
    for sql in (
        *OWN,
        *(
            case["sql"]
            for topic in ("joins", "queries", "writes")
            for case in tomllib.loads((CASES / f"{topic}.toml").read_text())["case"]
        ),
    )
]
TOKENS = st.sampled_from(STATEMENTS).flatmap(st.sampled_from)


def marks(sql, dialect):
    """All marks, without the care that is taken where a detector fails."""
    read = parsed(sql, dialect=dialect, columns=COLUMNS)
    if read.tree is None:
        return
    text, before = LintedText(read, sql), read.tree.sql()
    for name in DETECTORS:
        for mark in import_module(f"pytest_dbguard.sql.lint.{name}").marks(text):
            assert mark.position is None or 0 <= mark.position < len(sql)
            assert "secret" not in repr(mark)
            assert "4711" not in repr(mark)
    assert read.tree.sql() == before


@STEADY
@given(st.data(), st.sampled_from(STATEMENTS), st.sampled_from(["postgresql", "sqlite"]))
def test_a_statement_that_lost_or_gained_tokens(data, tokens, dialect):
    tokens = list(tokens)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(tokens)))
        if data.draw(st.booleans()):
            tokens.insert(place, data.draw(TOKENS))
        else:
            del tokens[place : place + 1]
    marks(" ".join(tokens), dialect)


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
@pytest.mark.parametrize("sql", OWN)
def test_own_statements(sql, dialect):
    marks(sql, dialect)
