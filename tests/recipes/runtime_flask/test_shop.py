"""The shop through Flask's test client: requests commit by the service, each test starts clean."""

import pytest
from shop import Order


@pytest.mark.parametrize("turn", range(2))
def test_places_an_order(client, dbguard_session, turn):
    assert client.get("/orders").json["orders"] == 0
    assert client.post("/orders", json={"product_id": 1}).json == {"id": 1}
    assert client.get("/orders").json["orders"] == 1
    assert dbguard_session.get(Order, 1).product.name == "Tea"


def test_refuses_an_unknown_product(client):
    assert client.post("/orders", json={"product_id": 2}).status_code == 404


def test_gives_connections_back(client, dbguard_service):
    for _ in range(10):
        client.post("/orders", json={"product_id": 1})
    assert dbguard_service.metrics().pools["primary"].in_use == 0
    assert client.get("/ready").status_code == 200
