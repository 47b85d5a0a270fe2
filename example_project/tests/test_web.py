"""The sync part of the web application."""

from __future__ import annotations

import factories
import pytest


def test_products(client):
    assert client.get("/products").json()[1]["supplier"] == {"name": "Supplier 1", "country": "LV"}


def test_catalogue(client):
    assert [len(client.get("/catalogue", params={"page": page}).json()) for page in range(3)] == [3, 3, 0]


def test_order_page(client):
    assert "R31: Customer 3" in client.get("/orders").text


def test_each_order(client):
    for number in range(4):
        # innocent: one request after the other, each for one order
        assert client.get(f"/orders/R{number}0").json() == {"customer": f"Customer {number}", "lines": 2}


def test_keys(client, session):
    factories.add_keys(session)
    for number in (1, 2, 3):
        assert client.get("/me", headers={"x-api-key": f"key-{number}"}).json() == {"name": f"Customer {number - 1}"}


def test_wrong_key(client):
    assert client.get("/me", headers={"x-api-key": "none"}).status_code == 401


def test_reviews(client, session):
    factories.add_reviews(session)
    assert client.get("/reviews").json()[0]["customer"] == {"name": "Customer 3"}


@pytest.mark.parametrize(("path", "sku", "value"), [("/stock", "P1", 9), ("/tags", "P0", ["blue"])])
def test_lists(client, path, sku, value):
    assert client.get(path).json()[sku] == value
