"""Repositories, services and a unit of work above one another."""

from __future__ import annotations

import pytest
from shop import repositories, services
from shop.models import Order
from sqlalchemy import select


@pytest.fixture
def orders(session, shop):
    return repositories.Orders(session)


@pytest.fixture
def checkout(session, shop):
    return services.Checkout(services.Catalogue(repositories.Products(session)))


def test_generic_get_through_three_layers(checkout):
    """session.get() of a generic repository, two calls below the loop."""
    assert checkout.price(dict.fromkeys(range(1, 7), 1)) == 75


def test_service_lazy_two_layers(orders):
    """The repository asks, the service loops, a function of the module reads."""
    assert services.open_sizes(orders)[1] == 6


def test_count_for_each(orders):
    """A count for each customer."""
    assert services.activity(orders, [1, 2, 3, 4]) == [2, 2, 2, 2]


def test_exists_for_each(orders):
    """An existence test in a comprehension's condition."""
    assert services.inactive(orders, [1, 2, 3, 99]) == [99]


def test_repository_add_in_a_loop(session):
    """A repository that flushes after each add."""
    services.write_audit(services.AuditLogs(session), ["a", "b", "c", "d"])


def test_unit_of_work_lazy(maker):
    """Lazy loads inside a unit of work."""
    with services.UnitOfWork(maker) as uow:
        assert len(services.lifetime_values(uow)) == 6


def test_unit_of_work_for_each_message(maker):
    """A unit of work, that is a session and a commit, for each message of a list."""
    services.handle_messages(maker, ["a", "b", "c", "d"])


def test_basket_priced_at_once(checkout):
    """One IN statement for the basket. # expect: none"""
    assert checkout.price_at_once(dict.fromkeys(range(1, 7), 1)) == 75


def test_basket_priced_from_the_identity_map(checkout):
    """session.get() in a loop over rows that the session already holds. # expect: none"""
    assert checkout.price_warmed(dict.fromkeys(range(1, 7), 1)) == 75


def test_two_gets_compared(session, shop):
    """Two gets on one line, of two people. # expect: none"""
    assert not services.compare(repositories.Customers(session), 1, 2)


def test_loop_of_one(session, shop):
    """A loop over a tuple of one. # expect: none"""
    assert services.tiers(repositories.Customers(session)) == {"basic": 4}


def test_sale(maker):
    """A whole use case: read, write, log, commit, once. # expect: none"""
    with services.UnitOfWork(maker) as uow:
        assert services.sell(uow, 1, [1, 2, 3]).total == 33


def test_two_pages_of_one_repository(orders):
    """Two pages, asked for on two lines. # expect: none"""
    first = orders.page(select(Order), 0, 5)
    second = orders.page(select(Order), 1, 5)
    assert {order.id for order in first}.isdisjoint(order.id for order in second)


def test_joined_customer(orders):
    """The to-one is joined, all reads are free. # expect: none"""
    assert len({order.customer.name for order in orders.with_customer()}) == 6


def test_cheapest_of_a_generator(session, shop):
    """min() with a key over a generator that asks once. # expect: none"""
    assert services.cheapest(repositories.Products(session)).sku == "sku0"
