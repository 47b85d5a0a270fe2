"""Indexes that other statements want and that serve a statement too."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.findings import Shape
from pytest_dbguard.planning.assessment import AssessedStatement, Basis, Purpose, Verdict, Wanted
from pytest_dbguard.planning.wider import serves, with_wider
from pytest_dbguard.planning.workload import WorkloadStatement
from pytest_dbguard.sql.facts.model import StatementFacts
from tests.planning.scripted_lab import index_on

NARROW, WIDE = index_on("orders", "city"), index_on("orders", "city", "created_at")


def wanting(spec, *, helps=True, purpose=Purpose.FILTER):
    statement = WorkloadStatement(Shape(str(spec.keys), "SELECT"), None, ())
    return AssessedStatement(
        statement, StatementFacts(), wanted=((Wanted(spec, purpose, "orders"), Verdict(helps, Basis.MODELLED)),)
    )


def widened(*statements):
    return [verdict.wider for each in with_wider(statements) for _, verdict in each.wanted]


def test_the_widest_that_begins_with_the_same_columns():
    widest = index_on("orders", "city", "created_at", "id")
    assert widened(wanting(NARROW), wanting(WIDE), wanting(widest)) == [widest, widest, None]


def test_what_does_not_help_serves_nobody():
    assert widened(wanting(NARROW), wanting(WIDE, helps=False)) == [None, None]
    assert widened(wanting(NARROW, helps=False), wanting(WIDE)) == [None, None]


def test_what_a_statement_wants_stays():
    found = with_wider([wanting(NARROW), wanting(WIDE)])
    assert [each.wanted[0][0].spec for each in found] == [NARROW, WIDE]


@pytest.mark.parametrize(
    "other",
    [
        index_on("orders", "created_at", "city"),
        index_on("invoices", "city", "created_at"),
        index_on("orders", "city", "created_at", method="gin"),
        index_on("orders", "city", "created_at", predicate="city IS NOT NULL"),
        NARROW,
    ],
)
def test_what_does_not_serve(other):
    assert not serves(other, NARROW)
    assert serves(WIDE, NARROW)
