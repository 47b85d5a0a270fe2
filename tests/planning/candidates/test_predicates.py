"""Which conditions of a statement imply the predicate of a partial index."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.candidates.predicates import implied
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.sql.facts.statement import statement_facts

COLUMNS = {"t": ("id", "state", "deleted_at", "active", "total", "parent_id")}


def holds(predicate, where, dialect=Dialect.POSTGRESQL):
    sql = f"SELECT id, active FROM t WHERE {where}"
    (scan,) = statement_facts(sql, dialect=dialect.value, columns=COLUMNS).scans
    return implied(predicate, scan.terms, sql, dialect)


@pytest.mark.parametrize(
    ("predicate", "where"),
    [
        ("((state)::text = 'open'::text)", "state = 'open'"),
        ("((state)::text = 'open'::text)", "t.state = 'open'::varchar AND id = $1"),
        ("((state)::text = 'open'::text)", "state IN ('open')"),
        ("((state)::text = 'open'::text)", "state = $1"),
        (
            "((state)::text = ANY ((ARRAY['open'::character varying, 'new'::character varying])::text[]))",
            "state = 'new'",
        ),
        ("state IN ('open', 'new')", "state = 'open'"),
        ("(deleted_at IS NULL)", "deleted_at IS NULL"),
        ("(parent_id IS NOT NULL)", "parent_id = $1"),
        ("(parent_id IS NOT NULL)", "parent_id > $1"),
        ("(parent_id IS NOT NULL)", "parent_id IS NOT NULL"),
        ("(parent_id IS NOT NULL)", "parent_id = 3"),
        ("(parent_id IS NOT NULL)", "parent_id > 3"),
        ("(parent_id IS NOT NULL)", "NOT parent_id IS NULL"),
        ("(active IS NOT TRUE)", "active IS NOT TRUE"),
        ("active", "active IS TRUE"),
        ("active", "active"),
        ("(active = true)", "active"),
        ("(NOT active)", "active = false"),
        ("((deleted_at IS NULL) AND active)", "active AND deleted_at IS NULL"),
        ("(total > 0)", "total > 10"),
    ],
)
def test_implied(predicate, where):
    assert holds(predicate, where)


@pytest.mark.parametrize(
    ("predicate", "where"),
    [
        ("((state)::text = 'open'::text)", "state = 'closed'"),
        ("((state)::text = 'open'::text)", "id = $1"),
        ("(deleted_at IS NULL)", "id = $1"),
        ("(parent_id IS NOT NULL)", "id = $1"),
        ("active", "id = $1"),
        ("active", "NOT active"),
        ("active", "active IS NOT TRUE"),
        ("active", "NOT (active)"),
        ("(deleted_at IS NULL)", "NOT (deleted_at IS NULL)"),
        ("(deleted_at IS NULL)", "deleted_at IS NOT NULL"),
        ("((deleted_at IS NULL) AND active)", "active"),
        ("(total > 0)", "id = $1"),
    ],
)
def test_not_implied(predicate, where):
    assert not holds(predicate, where)


def test_sqlite_has_numbers_for_booleans():
    assert holds("active = 1", "active IS 1", Dialect.SQLITE)
    assert not holds("active = 1", "active = 0", Dialect.SQLITE)


def test_without_the_text_any_condition_on_the_column_will_do():
    sql = "SELECT id FROM t WHERE state = 'closed'"
    (scan,) = statement_facts(sql, dialect="postgresql", columns=COLUMNS).scans
    assert implied("(state = 'open')", scan.terms, "", Dialect.POSTGRESQL)
