"""A lab of SQLite: what it plans, what it shows and hides, what it does with what only the program has."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_dbguard.planning.lab.base import IndexSize, IndexSpec, LabError, Rung
from pytest_dbguard.planning.lab.sqlite_lab import SqliteLab
from pytest_dbguard.planning.plan import Access
from pytest_dbguard.schema.catalog import Catalog, Dialect, Index, IndexKey, RelationKind, Table
from tests.planning.lab.shop_of_sqlite import catalog, columns, statistics

BY_CITY = "SELECT * FROM customers WHERE city = ?"
CITY = IndexSpec("", "customers", ("city",), ("city",))
CUSTOMER = IndexSpec("", "orders", ("customer_id",), ("customer_id",))


@pytest.fixture
def lab():
    lab = SqliteLab(catalog(), statistics())
    yield lab
    lab.close()


def accesses(lab, sql):
    """Return (access, table, index) of every node that reads a table."""
    explained = lab.explain(sql)
    assert explained.plan is not None, explained.problem
    return [(node.access, node.table, node.index) for node in explained.plan.root.walk() if node.table]


def test_plans_at_the_sizes_of_production(lab):
    assert accesses(lab, BY_CITY) == [(Access.SEQUENTIAL, "customers", "")]
    assert accesses(lab, "SELECT * FROM orders WHERE at > ?") == [(Access.INDEX, "orders", "ix_orders_at")]
    # the smaller table is outside, as its figures say
    sql = "SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id JOIN labels l ON l.order_id = o.id"
    assert accesses(lab, sql)[0][1] == "labels"


def test_the_description_tells_how_sizes_are_made(lab):
    assert (lab.description.dialect, lab.description.rung) == ("sqlite", Rung.STATISTICS)
    assert "in memory" in lab.description.reason


def test_candidates_are_hidden_until_they_are_shown(lab):
    (name,) = lab.add([CITY])
    assert accesses(lab, BY_CITY) == [(Access.SEQUENTIAL, "customers", "")]
    with lab.visible(shown=[name]):
        assert accesses(lab, BY_CITY) == [(Access.INDEX, "customers", name)]
    assert accesses(lab, BY_CITY) == [(Access.SEQUENTIAL, "customers", "")]


def test_the_same_candidate_keeps_its_name_and_an_impossible_one_has_none(lab):
    nowhere = IndexSpec("", "nowhere", ("city",), ("city",))
    method = dataclasses.replace(CITY, method="gin")
    misspelled = IndexSpec("", "customers", ("town(",), (None,))
    on_view = IndexSpec("", "cities", ("city",), ("city",))
    first = lab.add([CITY, nowhere, method, misspelled, on_view, CUSTOMER])
    assert [bool(name) for name in first] == [True, False, False, False, False, True]
    assert lab.add([CUSTOMER, CITY]) == (first[-1], first[0])


def test_a_shown_candidate_is_planned_with_its_own_figures(lab):
    weak, strong = lab.add([IndexSpec("", "orders", ("status",), ("status",)), CUSTOMER])
    with lab.visible(shown=[weak, strong]):
        sql = "SELECT * FROM orders WHERE status = ? AND customer_id = ?"
        assert accesses(lab, sql) == [(Access.INDEX, "orders", strong)]


def test_expressions_predicates_collations_and_order_of_candidates(lab):
    expression = IndexSpec("", "customers", ("lower(email)",), (None,))
    partial = IndexSpec("", "orders", ("at DESC",), ("at",), predicate="status = 'late'")
    nocase = IndexSpec("", "customers", ("city COLLATE NOCASE",), ("city",), is_unique=True)
    names = lab.add([expression, partial, nocase])
    assert all(names)
    with lab.visible(shown=names):
        assert accesses(lab, "SELECT * FROM customers WHERE lower(email) = ?")[0][2] == names[0]
        assert accesses(lab, "SELECT * FROM orders WHERE status = 'late' ORDER BY at DESC LIMIT 5")[0][2] == names[1]
        assert accesses(lab, "SELECT * FROM customers WHERE city = ? COLLATE NOCASE")[0][2] == names[2]


def test_existing_indexes_are_hidden_for_a_while(lab):
    sql = "SELECT * FROM orders WHERE at = ?"
    with lab.visible(hidden=["ix_orders_at"]):
        assert accesses(lab, sql) == [(Access.SEQUENTIAL, "orders", "")]
    assert accesses(lab, sql) == [(Access.INDEX, "orders", "ix_orders_at")]


@pytest.mark.parametrize("name", ["sqlite_autoindex_customers_1", "nowhere"])
def test_what_comes_with_its_table_cannot_be_hidden(lab, name):
    with pytest.raises(LabError, match=name), lab.visible(hidden=[name]):
        pass
    assert accesses(lab, "SELECT * FROM customers WHERE email = ?")[0][2] == "sqlite_autoindex_customers_1"


def test_an_unknown_candidate_is_an_error(lab):
    with pytest.raises(LabError, match="nowhere"), lab.visible(shown=["nowhere"]):
        pass


def test_showing_stands_within_showing(lab):
    city, customer = lab.add([CITY, CUSTOMER])
    with lab.visible(shown=[city], hidden=["ix_orders_at"]), lab.visible(shown=[customer]):
        assert accesses(lab, BY_CITY)[0][2] == city
        assert accesses(lab, "SELECT * FROM orders WHERE customer_id = ?")[0][2] == customer
    assert accesses(lab, "SELECT * FROM orders WHERE at = ?")[0][2] == "ix_orders_at"


def test_an_error_within_a_block_undoes_it(lab):
    (name,) = lab.add([CITY])
    with pytest.raises(KeyError), lab.visible(shown=[name]):
        raise KeyError
    assert accesses(lab, BY_CITY) == [(Access.SEQUENTIAL, "customers", "")]


def test_other_numbers_of_rows_change_the_order_of_a_join_and_are_undone(lab):
    sql = "SELECT * FROM orders o JOIN customers c ON c.id = o.id"
    (name,) = lab.add([CITY])
    assert accesses(lab, sql)[0][1] == "customers"
    with lab.visible(shown=[name]), lab.at_rows("orders", 10):
        assert accesses(lab, sql)[0][1] == "orders"
        assert lab.statistics.table("orders").rows == 10
    assert accesses(lab, sql)[0][1] == "customers"
    assert lab.statistics.table("orders").rows == 1_000_000


def test_other_numbers_of_rows_of_a_table_that_nobody_measured():
    lab = SqliteLab(catalog(), dataclasses.replace(statistics(), tables=()))
    with lab.at_rows("orders", 10):
        assert accesses(lab, "SELECT * FROM orders o JOIN customers c ON c.id = o.id")[0][1] == "orders"
    with pytest.raises(LabError, match="cities"), lab.at_rows("cities", 10):
        pass


def test_functions_and_collations_of_the_program_are_stubs():
    create = "CREATE INDEX ix_places_slug ON places"
    place = Table(
        "",
        "places",
        columns=columns("name", "slug"),
        indexes=(Index("ix_places_slug", (IndexKey(None, "slugify(name, 1)"),), ddl=f"{create} (slugify(name, 1))"),),
        ddl="CREATE TABLE places (name TEXT COLLATE deutsch, slug TEXT CHECK (is_slug(slug)), "
        "folded TEXT GENERATED ALWAYS AS (fold(name)) VIRTUAL)",
    )
    lab = SqliteLab(catalog(place), statistics())
    assert lab.description.problems == ()
    assert accesses(lab, "SELECT distance(?, name) FROM places WHERE slugify(name, 1) = ?")[0][2] == "ix_places_slug"
    assert accesses(lab, "SELECT * FROM places WHERE name REGEXP ? ORDER BY name COLLATE klingon")
    assert accesses(lab, "SELECT median(slug) OVER (PARTITION BY name) FROM places")


def test_what_cannot_be_copied_is_told_and_the_rest_is_there():
    notes = Table("", "notes", RelationKind.VIRTUAL, columns("body"), ddl="CREATE VIRTUAL TABLE notes USING fts5(body)")
    broken = Table("", "broken", columns=columns("a"), ddl="CREATE TABLE broken (a DEFAULT 'secret' oops")
    lab = SqliteLab(catalog(notes, broken), statistics())
    assert [problem.split(" is left out")[0] for problem in lab.description.problems] == ["`notes`", "`broken`"]
    assert "secret" not in str(lab.description.problems)
    assert lab.explain("SELECT * FROM notes WHERE body MATCH ?").problem == "no such table `notes`"
    assert accesses(lab, BY_CITY)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("SELECT * FROM other.orders", "no such table `other.orders`"),
        ("SELECT secret FROM orders", "no such column"),
        ("SELECT 'secret' FROM orders WHERE 'secret' secret", "syntax error"),
        ("SELECT 'secret", "unrecognized token"),
        ("SELECT 1; DROP TABLE orders", "SQLite refuses it"),
        ("SELECT \x00", "SQLite refuses it"),
        ("SELECT '\ud800'", "SQLite refuses it"),
        ("-- quietly\n/* so */ pragma case_sensitive_like = 1", "a PRAGMA has no plan"),
    ],
)
def test_what_sqlite_refuses_is_told_without_its_words(lab, sql, problem):
    explained = lab.explain(sql)
    assert (explained.plan, explained.problem) == (None, problem)
    assert accesses(lab, "SELECT * FROM orders")


def test_nothing_is_executed(lab):
    for sql in (
        "INSERT INTO customers (city) VALUES ('?'), (?)",
        "DELETE FROM orders",
        "UPDATE orders SET status = :a WHERE at < ?",
        "DROP TABLE orders",
    ):
        assert lab.explain(sql).plan is not None
    assert accesses(lab, "SELECT * FROM orders")


def test_sizes_are_not_known_and_closing_twice_is_allowed(lab):
    assert lab.size_of("ix_orders_at") == IndexSize(0, 0)
    lab.close()


def test_an_empty_schema_has_a_lab():
    lab = SqliteLab(Catalog(Dialect.SQLITE), statistics())
    assert lab.explain("SELECT 1").plan is not None
    assert lab.explain("SELECT * FROM orders").problem == "no such table `orders`"


def test_a_candidate_can_be_hidden_among_those_that_are_shown(lab):
    names = lab.add([CITY, CUSTOMER])
    before = accesses(lab, BY_CITY)
    with lab.visible(shown=names):
        shown = accesses(lab, BY_CITY)
        with lab.visible(hidden=names[:1]):
            assert accesses(lab, BY_CITY) == before != shown
        assert accesses(lab, BY_CITY) == shown
