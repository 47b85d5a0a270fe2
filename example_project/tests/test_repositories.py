"""Repositories by themselves."""

from __future__ import annotations

import pytest
from shop.repositories import customers, orders, products
from sqlalchemy.exc import NoResultFound


def test_orders_by_ids(session):
    assert len(orders.by_ids(session, list(range(1, 9)))) == 8


def test_order_by_reference(session):
    assert orders.by_reference(session, "R00").lines[0].quantity == 1


def test_unknown_reference(session):
    with pytest.raises(NoResultFound):
        orders.by_reference(session, "R99")


def test_unknown_key(session):
    assert customers.of_key(session, "nobody") is None


def test_export(session):
    exported = {product.sku: (product.supplier.name, len(product.tags)) for product in products.for_export(session, 2)}
    assert exported["P2"] == ("Supplier 2", 3)


@pytest.mark.parametrize(("number", "skus"), [(0, ["P0", "P1", "P2", "P3"]), (1, ["P4", "P5"])])
def test_page(session, number, skus):
    assert [product.sku for product in products.page(session, number, 4)] == skus


def test_all_pages(session):
    pages = [products.page(session, number, 2) for number in range(3)]
    assert [len(page) for page in pages] == [2, 2, 2]


def test_seed_is_there_in_each_test(session):
    assert len(customers.all_customers(session)) == 4
