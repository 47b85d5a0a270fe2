"""Loops that the test itself writes: the finding's loop is the test's."""

from __future__ import annotations

import pytest
from shop import calls
from shop.models import Customer, Item, Order, Product
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session, selectinload


def test_loop_in_the_test(session, shop):
    """The test loops over skus, the application asks."""
    for sku in ("sku1", "sku2", "sku3"):  # loop: DBG103 product
        assert calls.price(session, sku) > 10


def test_writes_from_a_loop_of_the_test(session):
    """The test loops over names, the application flushes."""
    for name in ("ada", "bob", "cyd"):  # loop: DBG104 customer
        assert calls.register(session, name)


def test_lazy_in_the_test(session, shop):
    """The test asks, loops and reads a relationship."""
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.items
    for order in orders:  # loop: DBG101 Order.items
        assert len(order.items) == 3  # expect: DBG101 Order.items


def test_core_in_the_test(engine, shop):
    """The test loops over keys and asks by Core."""
    with engine.connect() as connection:
        for pk in (1, 2, 3):  # loop: DBG103 item
            stmt = select(func.count()).where(Item.order_id == pk)
            assert connection.scalar(stmt) == 3  # expect: DBG103 item


def test_commit_in_the_test(session, shop):
    """The test loops and commits."""
    for pk in (1, 2, 3):  # loop: DBG502 product
        session.execute(update(Product).where(Product.id == pk).values(stock=pk))  # expect: DBG502 product
        session.commit()


@pytest.mark.parametrize("sku", ["sku1", "sku2", "sku3"])
def test_parametrised(session, shop, sku):
    """One question in each parametrised test. # expect: none"""
    assert calls.price(session, sku) > 10


@pytest.mark.parametrize("tries", [1, 2])
def test_lazy_parameters(session, shop, tries):
    """Lazy loads in each parametrised test."""
    assert len(calls.order_names(session)) == 12


@pytest.mark.parametrize("name", ["ada", "bob", "cyd"])
def test_parametrised_commit(session, shop, name):
    """One commit in each parametrised test. # expect: none"""
    calls.log(session, name)


def test_arrange_act_assert(session, shop):
    """Arrange by executemany, act once, assert once. # expect: none"""
    session.execute(insert(Customer), [{"email": f"n{n}@shop.test", "name": "n"} for n in range(4)])
    calls.log(session, "act")
    assert session.scalar(select(func.count()).select_from(Customer)) == 10


def test_assertions_on_loaded_rows(session, shop):
    """The test loops over what is loaded. # expect: none"""
    for order in session.scalars(select(Order).options(selectinload(Order.items))):
        assert len(order.items) == 3


def test_three_calls_on_three_lines(session, shop):
    """The test calls one function three times. # expect: none"""
    assert calls.price(session, "sku1") == 11
    assert calls.price(session, "sku2") == 12
    assert calls.price(session, "sku3") == 13


@pytest.fixture(scope="class")
def class_session(request, tmp_path_factory):
    """A session that the tests of a class share."""
    import conftest
    import seed

    engine = conftest.new_engine(conftest.URL or f"sqlite:///{tmp_path_factory.mktemp('class')}/shop.db")
    with Session(engine) as session:
        seed.fill(session)
        session.expunge_all()
        yield session
    engine.dispose()


class TestOneSession:
    """Tests that share a session ask one question each."""

    def test_first_of_a_class(self, class_session):
        """The first test asks. # expect: none"""
        assert calls.price(class_session, "sku1") == 11

    def test_second_of_a_class(self, class_session):
        """The second test asks the same, in another scope. # expect: none"""
        assert calls.price(class_session, "sku2") == 12

    def test_lazy_in_a_case(self, class_session):
        """Lazy loads on the shared session."""
        class_session.rollback()
        class_session.expunge_all()
        assert len(calls.order_names(class_session)) == 12

    def test_loaded_in_a_class(self, class_session):
        """Nothing lazy on the shared session. # expect: none"""
        assert len(calls.loaded_names(class_session)) == 12
