"""Loads that the test data hides: all rows share one target, or there is one row only."""

from __future__ import annotations

from shop import finance
from shop.models import Customer


def test_shared_currency(session):
    """All orders are in one currency."""
    assert len(finance.amounts(session)) == 13


def test_shared_in_set(session):
    """The same in a set, after a filter."""
    assert finance.currencies_of_new(session) == {"EUR"}


def test_shared_in_method(session):
    """The same, read in a method."""
    assert len(finance.Invoicing(session).lines()) == 6


def test_partly_shared(session):
    """Three products in three categories are enough to show it."""
    assert len(finance.catalogue(session)) == 3


def test_one_dispute(session):
    """The query finds one order, and could find many."""
    assert finance.disputes(session) == ["n-12 2"]


def test_one_dispute_far(session):
    """The same with query, loop and access in three functions."""
    assert finance.complain(finance.disputed(session)) == ["Dear lonely"]


def test_one_root(session):
    """The tree has one root in this data."""
    assert finance.roots(session) == {"all": ["tools", "garden"]}


def test_one_heavy(session):
    """One item is heavy in this data."""
    assert finance.heavy(session) == ["sku-0"]


def test_one_order_of_one(session):
    """One customer, who has one order in this data: the loop goes over a collection."""
    assert finance.quantities_of(session, "lonely") == [9, 1]


# --- as it should be ---


def test_currency_joined(session):
    """The currency comes with the orders. # expect: none"""
    assert len(finance.amounts_joined(session)) == 13


def test_orders_of_one_customer(session):
    """The query asks for one customer's orders, so they share that customer whatever the data. # expect: none"""
    assert finance.orders_of(session, 1) == ["n-0 name-0", "n-1 name-0"]


def test_items_of_one_order(session):
    """The items' way back to their order. # expect: none"""
    assert len(finance.lines_of(session, 1)) == 3


def test_addresses_of_known(session):
    """The addresses of a customer who is at hand. # expect: none"""
    assert len(finance.streets_of(session, session.get(Customer, 1))) == 2


def test_currency_known(session):
    """The one currency is at hand. # expect: none"""
    assert len(finance.amounts_with_known(session)) == 13


def test_one(session):
    """one() says that there is one. # expect: none"""
    assert finance.dispute(session) == "n-12 2"


def test_first(session):
    """first() takes the one that the limit leaves. # expect: none"""
    assert finance.first_dispute(session) == [9, 1]


def test_limit_one(session):
    """A loop over at most one row. # expect: none"""
    assert finance.next_dispute(session) == ["n-12 lonely"]


def test_unique_column(session):
    """A loop over what a unique column finds. # expect: none"""
    assert finance.by_number(session, "n-3") == ["n-3 name-1"]


def test_primary_key(session):
    """A loop over what the primary key finds. # expect: none"""
    assert finance.by_ids(session, 4) == ["name-1"]


def test_scalar_one_or_none(session):
    """One or none. # expect: none"""
    assert finance.maybe(session, "disputed") == "lonely"


def test_found_among_many(session):
    """A loop over many looks for one and loads what belongs to it. # expect: none"""
    assert finance.found_among_many(session) == [9, 1]
