"""The shop's API under FastAPI's own synchronous client, which runs the application in a loop of its own."""

import pytest
from fastapi.testclient import TestClient
from shop import Order, app


@pytest.fixture
def client():
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("product", [1, 2])
def test_places_an_order(client, dbguard_session, product):
    assert client.post("/orders", json={"product_id": product}).json() == {"id": 1}
    assert dbguard_session.get(Order, 1).product_id == product


def test_works_with_a_loop_for_each_request():
    client = TestClient(app)
    assert client.post("/orders", json={"product_id": 1}).json() == {"id": 1}
    assert client.get("/orders").json() == ["Tea"]
