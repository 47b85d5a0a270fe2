"""What factories commit the shop finds in other sessions and connections; the next test finds nothing of it."""

import pytest
from factories import CustomerFactory, OrderFactory
from shop import Customer, cancel, turnover
from sqlalchemy import select


@pytest.mark.parametrize("turn", range(2))
def test_adds_orders_up(turn):
    ada = CustomerFactory(name="Ada")
    orders = OrderFactory.create_batch(2, customer=ada)
    assert [order.id for order in orders] == [1, 2]
    OrderFactory(total=50)
    assert turnover() == {"Ada": 200, "customer 2": 50}


def test_cancels_an_order():
    order = OrderFactory()
    cancel(order.id)
    assert turnover() == {}


def test_starts_empty(dbguard_session):
    assert dbguard_session.scalars(select(Customer)).all() == []
    assert CustomerFactory().id == 1
    assert dbguard_session.scalars(select(Customer.name)).all() == ["customer 1"]
