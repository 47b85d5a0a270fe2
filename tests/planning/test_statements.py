"""What is understood of statements before a planner is asked."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from pytest_dbguard.core.findings import Shape, Site
from pytest_dbguard.planning.statements import NO_TEXT, NOT_EXPLAINABLE, Reader
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import ColumnStatistics, Slot, Statistics, TableStatistics
from pytest_dbguard.planning.workload import Exemplar, Use, WorkloadStatement
from pytest_dbguard.schema.catalog import Catalog, Dialect, Index, IndexKey, Table
from tests.planning.scripted_lab import orders

OPEN = Index("ix_open", (IndexKey("customer_id"),), predicate="city = 'Riga'")


def catalog(dialect=Dialect.SQLITE, *indexes):
    schema = "public" if dialect is Dialect.POSTGRESQL else ""
    table = Table(schema, "orders", columns=orders().columns, primary_key=("id",), indexes=indexes)
    return Catalog(dialect, tables=(table,), search_path=("public",) if schema else ())


def prepared(text, *, given=None, values=None, style="qmark", statistics=None, lines=(3,)):
    made = given or catalog()
    known = completed(statistics or Statistics(), made)
    exemplar = Exemplar(text, style, MappingProxyType(values or {})) if text else None
    uses = tuple(Use(Site("shop.py", line), 1, ("test_shop.py::test_it",)) for line in lines)
    return Reader(made, known).prepare(WorkloadStatement(Shape("a", "SELECT"), exemplar, uses))


def test_what_a_statement_wants():
    found = prepared("SELECT id FROM orders WHERE city = ?")
    [variant] = found.variants
    assert [wanted.spec.keys for wanted in variant.wanted] == [("city",)]
    assert found.facts.tables == ("orders",)
    assert found.problem == ""


def test_columns_are_found_with_and_without_the_schema():
    given = catalog(Dialect.POSTGRESQL)
    for name in ("orders", "public.orders"):
        [variant] = prepared(f"SELECT id FROM {name} WHERE city = %s", given=given, style="format").variants
        assert [wanted.spec.schema for wanted in variant.wanted] == ["public"]


def test_a_constant_that_a_partial_index_needs_makes_a_variant_for_each_value():
    text = "SELECT id FROM orders WHERE customer_id = ? AND city = ?"
    given = catalog(Dialect.SQLITE, OPEN)
    found = prepared(text, given=given, values={1: ("Riga", "Oslo")})
    assert len(found.variants) == 2
    served = [variant for variant in found.variants if not variant.wanted and not variant.unusable]
    assert len(served) == 1
    assert len(prepared(text, values={1: ("Riga", "Oslo")}).variants) == 1


def test_a_constant_whose_frequency_is_known_makes_variants_too():
    slot = Slot(1, (0.9,), "{Riga}")
    table = TableStatistics("", "orders", 1e6, columns=(ColumnStatistics("city", slots=(slot,)),))
    text = "SELECT id FROM orders WHERE city = ?"
    assert len(prepared(text, values={0: ("Riga", "Oslo")}, statistics=Statistics((table,))).variants) == 2


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("SELECT id FROM orders WHERE city LIKE ?", {0: ("%abc%", "abc%")}),
        ("SELECT id FROM orders WHERE customer_id = ? AND city = ?", {1: ("Riga", "Oslo")}),
    ],
)
def test_of_several_places_nobody_knows_which_sent_what(text, values):
    given = catalog(Dialect.SQLITE, OPEN)
    at_one = prepared(text, given=given, values=values)
    assert any(each.wanted or each.unusable for each in at_one.variants)
    at_two = prepared(text, given=given, values=values, lines=(3, 8))
    assert len(at_two.variants) == 2
    assert not any(each.wanted or each.unusable for each in at_two.variants)
    same = prepared("SELECT id FROM orders WHERE city = ?", given=given, values={0: ("Riga", "Oslo")}, lines=(3, 8))
    assert all(each.wanted for each in same.variants)


@pytest.mark.parametrize(
    ("text", "problem"), [(None, NO_TEXT), ("CREATE TABLE x (id INTEGER)", NOT_EXPLAINABLE), ("", NO_TEXT)]
)
def test_what_cannot_be_planned_says_why(text, problem):
    found = prepared(text)
    assert (found.problem, found.variants, found.facts.problem) == (problem, (), problem)


def test_what_cannot_be_parsed_says_so_without_its_text():
    found = prepared("SELECT FROM WHERE secret = 'x' ((")
    assert found.problem
    assert "secret" not in found.problem
    assert not found.facts.is_analysed


def test_a_failure_costs_one_statement(monkeypatch):
    monkeypatch.setattr("pytest_dbguard.sql.explainable.explainables", lambda *_, **__: 1 / 0)
    assert prepared("SELECT 1").problem == "dbguard failed at it (ZeroDivisionError)"
