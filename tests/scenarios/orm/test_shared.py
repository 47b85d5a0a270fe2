"""Sessions that tests, fixtures and factories share with the application, and instances they keep alive."""

from __future__ import annotations

import pytest
from factories import CustomerFactory
from shop import desk
from shop.models import Customer, Order
from sqlalchemy import select
from sqlalchemy.orm import Session


@pytest.fixture
def handed_over(shared, make):
    """Orders that a fixture has made in the session of the application."""
    return make.orders(3)


@pytest.fixture
def looked_at(shared, make):
    """A fixture that reads what it has made, row by row, from the database."""
    make.orders(4, commit=True)
    return [order.customer.name for order in shared.scalars(select(Order)).all()]


@pytest.fixture
def filled(engine):
    """Orders made in a session that is closed."""
    with Session(engine) as session:
        for number in range(4):
            customer = CustomerFactory.create(session)
            session.add(Order(number=f"n-{number}", customer=customer))
            session.commit()


def test_factory_committed(shared, make):
    """Factories commit, so the application loads what they made."""
    made = make.orders(3, commit=True)
    assert len(desk.open_orders(shared)) == len(made)


def test_factory_expunged(shared, make):
    """Factories flush, and the test empties the session."""
    make.orders(3)
    shared.expunge_all()
    assert len(desk.open_orders(shared)) == 3


def test_fixture_closed(filled, shared):
    """A fixture's own session has made the rows."""
    assert len(desk.open_orders(shared)) == 4


def test_factory_expired(shared, make):
    """The application gets instances of the factories whose columns a commit has expired."""
    made = make.orders(3, commit=True)
    assert len(desk.describe(made)) == 3


def test_built_and_flushed(shared, engine):
    """The application itself builds and flushes instances, then reads a relationship of each."""
    with Session(engine) as other:
        other.add_all([Customer(name=name, email=name) for name in "abc"])
        other.commit()
    assert desk.place_orders(shared, [1, 2, 3]) == ["a", "b", "c"]


def test_built_and_committed(shared):
    """The application commits what it has built and reads the new keys, one instance after the other."""
    assert len(desk.register(shared, ["a", "b", "c"])) == 3


def test_cached_without_origin(session):
    """A statement cached for an instance that no query loaded is used again for instances that one did load."""
    assert desk.welcome(session, "new") == 0
    assert desk.quantities(session) == 82


def test_loop_in_test(shared, make):
    """The loop is the test's own."""
    make.orders(3)
    shared.expunge_all()
    orders = shared.scalars(select(Order)).all()  # origin: DBG101 Order.items
    for order in orders:  # loop: DBG101 Order.items
        assert len(order.items) == 2  # expect: DBG101 Order.items


# --- as it should be, or out of sight ---


def test_factory_flushed(shared, make):
    """Factories and application share a session that has everything in its identity map. # expect: none"""
    # cold: DBG101 Order.customer
    made = make.orders(3)
    assert len(desk.open_orders(shared)) == len(made)


def test_fixture_handed_over(shared, handed_over):
    """The fixture holds what the application would have to load. # expect: none"""
    # cold: DBG101 Order.customer
    assert len(desk.open_orders(shared)) == len(handed_over)


def test_fixture_reads(shared, looked_at):
    """The loads of a fixture are its own. # expect: none"""
    assert len(looked_at) == 4


def test_factory_batch(shared, make):
    """A batch of factories flushes row by row and looks for tags. # expect: none"""
    assert len(make.customers(5)) == 5


def test_arranged_in_memory(shared, make):
    """The application gets instances that were never expired. # expect: none"""
    assert len(desk.describe(make.orders(3))) == 3


def test_flushed_keys(shared):
    """The keys of new instances are there after the flush. # expect: none"""
    assert len(desk.register_and_flush(shared, ["a", "b", "c"])) == 3


def test_directory(session):
    """The application keeps customers alive for as long as it reads orders. # expect: none"""
    assert len(desk.Directory(session).owners()) == 13


def test_arranged_parents(session):
    """The test keeps the customers alive that the application reads. # expect: none"""
    # cold: DBG101 Order.customer
    customers = session.scalars(select(Customer)).all()
    assert len(desk.open_orders(session)) == len(customers) - 1


def test_tags_of_factories(shared, make):
    """Association proxies over instances of the factories. # expect: none"""
    # cold: DBG101 Product.tags
    orders = make.orders(2)
    assert len(desk.tag_products(shared)) == 2 * len(orders)


def test_no_expiry_shared(engine):
    """Factories commit in a session that does not expire. # expect: none"""
    # cold: DBG101 Order.customer
    with Session(engine, expire_on_commit=False) as session:
        orders = [Order(number=name, customer=Customer(name=name, email=name)) for name in "abc"]
        session.add_all(orders)
        session.commit()
        assert len(desk.open_orders(session)) == len(orders)
