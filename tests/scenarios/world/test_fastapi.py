"""Requests to the FastAPI application."""

from __future__ import annotations

import httpx
import pytest
from fastapi.testclient import TestClient
from shop import web_fastapi


@pytest.fixture
def client(maker):
    with TestClient(web_fastapi.make_app(maker)) as client:
        yield client


@pytest.fixture
async def async_client(maker, async_maker):
    transport = httpx.ASGITransport(app=web_fastapi.make_app(maker, async_maker))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


def test_route_lazy(client):
    """A route loops over orders and reads their customers."""
    assert len(client.get("/orders").json()) == 12


def test_model_lazy(client):
    """The framework reads the relationship for the response model: no line of the application but the query's."""
    assert client.get("/orders/model").json()[0]["customer"] == {"name": "customer 0"}


def test_second_request_lazy(client):
    """Two requests, the second has the lazy loads."""
    assert client.get("/statistics").json()["orders"] == 12
    assert len(client.get("/orders").json()) == 12


async def test_async_route_loop(async_client):
    """An async route that asks for each id of its query string."""
    assert len((await async_client.get("/async/products", params={"ids": "1,2,3"})).json()) == 3


def test_bulk_route_gets(client):
    """A bulk route gets each row by itself; the writes are one flush."""
    assert client.post("/orders/states", json={"states": {1: "paid", 2: "paid", 3: "paid"}}).json() == 3


def test_background_task_commits(client):
    """A background task commits each line."""
    assert client.post("/log", json=["a", "b", "c"]).status_code == 200


def test_streaming_response(client):
    """The lazy loads run while a response is streamed."""
    assert client.get("/export").text.splitlines()[0] == "1;3"


def test_twice(client):
    """Two dependencies of one request ask one helper for the same setting."""
    assert client.get("/frame").json() == "orders of 0 (c) 0"


def test_dependency_remembered(client):
    """One dependency, wanted twice by one request, asks once. # expect: none"""
    assert client.get("/me/twice", headers={"email": "c0@shop.test"}).json() is True


def test_frame_of_other_requests(client):
    """Two requests ask for the same setting, each once. # expect: none"""
    assert client.get("/statistics").status_code == 200
    assert client.get("/statistics").status_code == 200


def test_route_joined(client):
    """The response model over joined customers. # expect: none"""
    assert len(client.get("/orders/joined").json()) == 12


def test_six_detail_requests(client):
    """The same route six times, an order each: six requests. # expect: none"""
    for pk in range(1, 7):
        assert client.get(f"/orders/{pk}").status_code == 200


def test_dependency_in_each_request(client):
    """A dependency finds the customer in each of four requests. # expect: none"""
    names = [client.get("/me", headers={"email": f"c{n}@shop.test"}).json()["name"] for n in range(4)]
    assert len(set(names)) == 4


def test_two_pages_of_one_customer(client):
    """The customer's own orders are one lazy load a request. # expect: none"""
    assert client.get("/me/orders", headers={"email": "c0@shop.test"}).json() == [100, 101]
    assert client.get("/me/orders", headers={"email": "c1@shop.test"}).json() == [102, 103]


def test_state_changes_by_request(client):
    """A commit in each of four requests. # expect: none"""
    for state in ("paid", "packed", "shipped", "done"):
        assert client.post("/orders/1/state", params={"state": state}).json() == {"state": state}


async def test_async_route_loaded(async_client):
    """An async route whose collections are loaded. # expect: none"""
    assert len((await async_client.get("/async/customers")).json()) == 6


async def test_async_requests_in_a_row(async_client):
    """An async route asks for one id, three requests. # expect: none"""
    for pk in ("1", "2", "3"):
        assert (await async_client.get("/async/products", params={"ids": pk})).status_code == 200


@pytest.mark.parametrize("pk", [1, 2, 3])
def test_parametrised_request(client, pk):
    """One request in each of three parametrised tests. # expect: none"""
    assert client.get(f"/orders/{pk}").json()["id"] == pk
