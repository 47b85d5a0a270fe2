"""Which existing indexes a workload needs."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.findings import Shape
from pytest_dbguard.planning.assessment import AssessedStatement
from pytest_dbguard.planning.index_use import used_indexes
from pytest_dbguard.planning.workload import WorkloadStatement
from pytest_dbguard.schema.catalog import Catalog, Dialect, Index, IndexKey, Table
from pytest_dbguard.sql.facts.model import (
    Alternative,
    Join,
    Scan,
    SortKey,
    StatementFacts,
    Term,
    TermKind,
    Wrapping,
)
from tests.planning.scripted_lab import orders, plan_of, scan_of

CITY = Index("ix_city", (IndexKey("city"), IndexKey("id")))
LOWER = Index("ix_lower", (IndexKey(None, "lower(city)"),))
CATALOG = Catalog(
    Dialect.SQLITE,
    tables=(
        Table("", "orders", columns=orders().columns, indexes=(CITY, LOWER)),
        Table("", "items", columns=orders().columns, indexes=(Index("ix_items", (IndexKey("city"),)),)),
    ),
)
NE = Term("city", TermKind.OTHER)


def used(*scans, joins=(), plan=None):
    statement = WorkloadStatement(Shape("1", "SELECT"), None, ())
    assessed = AssessedStatement(statement, StatementFacts(scans, joins), plan)
    return {name for _, name in used_indexes([assessed], CATALOG)}


@pytest.mark.parametrize(
    "scan",
    [
        Scan("o", "orders", terms=(Term("city", TermKind.EQUAL),)),
        Scan("o", "orders", terms=(NE,)),
        Scan("o", "orders", order=(SortKey("city", "city"),)),
        Scan("o", "orders", groups=("city",)),
        Scan("o", "orders", alternatives=(Alternative(((NE,), ()), is_of_one_scan=True),)),
    ],
)
def test_an_index_is_needed_where_its_first_column_is_named(scan):
    assert used(scan) == {"ix_city"}


def test_a_joined_column():
    join = Join("o", "i", "left", (("city", "id"),))
    assert used(Scan("o", "orders"), Scan("i", "items"), joins=(join,)) == {"ix_city"}


def test_an_expression_where_any_is_named():
    term = Term("id", TermKind.EQUAL, Wrapping.FUNCTION, "abs(id)")
    assert used(Scan("o", "orders", terms=(term,))) == {"ix_lower"}


def test_what_a_plan_uses():
    assert used(Scan("o", "orders"), plan=plan_of(scan_of("orders", index="ix_lower"))) == {"ix_lower"}


def test_nothing_is_needed_by_a_statement_that_names_none_of_it():
    assert used(Scan("o", "orders", terms=(Term("id", TermKind.EQUAL),))) == set()
