"""Requests to the Flask application, whose hooks ask and write in each request."""

from __future__ import annotations

import pytest
from shop import web_flask


@pytest.fixture
def client(maker):
    return web_flask.make_app(maker).test_client()


def test_flask_view_lazy(client):
    """A view loops over orders and reads their customers."""
    assert len(client.get("/orders").get_json()) == 12


def test_permission_for_each(client):
    """A permission is looked up for each row of a list."""
    assert client.get("/visible").get_json() == [1, 2]


def test_update_for_each_sku(client):
    """An UPDATE for each entry of the request's body."""
    assert client.post("/restock", json={"sku1": 1, "sku2": 2, "sku3": 3}).get_json() == {"ok": True}


def test_template_helper(client):
    """A helper handed to a template asks for each line of a price list."""
    assert client.get("/prices").data.count(b",") == 12


def test_dashboard_twice(client):
    """A dashboard of three numbers, requested twice. # expect: none"""
    first = client.get("/dashboard").get_json()
    assert client.get("/dashboard").get_json() == first


def test_flask_page_joined(client):
    """A template over joined customers. # expect: none"""
    assert b"customer 5" in client.get("/orders.html").data


def test_five_pages_with_hooks(client):
    """Five requests: before_request asks and after_request commits in each. # expect: none"""
    for pk in range(1, 6):
        assert client.get(f"/orders/{pk}").get_json()["id"] == pk


def test_requests_of_three_customers(client):
    """Three customers log in, one after the other. # expect: none"""
    for n in range(3):
        assert client.get("/orders/1", headers={"email": f"c{n}@shop.test"}).status_code == 200


def test_misses(client):
    """A page that does not exist, asked for three times. # expect: none"""
    assert [client.get(f"/orders/{pk}").status_code for pk in (97, 98, 99)] == [404, 404, 404]
