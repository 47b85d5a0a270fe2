"""The shop's API, sync and async, with its lifespan: each test finds the seed, and an application that is starting."""

import pytest
from httpx import ASGITransport, AsyncClient
from shop import Order, Product, app
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from pytest_dbguard.runtime import get_database_service

WAYS = pytest.mark.parametrize("way", ["", "/async"], ids=["sync", "async"])


@WAYS
@pytest.mark.parametrize("product", [1, 2])
def test_places_an_order(client, dbguard_session, way, product):
    assert client.post(f"{way}/orders", json={"product_id": product}).json() == {"id": 1}
    assert client.get(f"{way}/orders").json() == [["Tea", "Cup"][product - 1]]
    assert dbguard_session.get(Product, product).stock == 4


@WAYS
def test_refuses_an_unknown_product(client, way):
    assert client.post(f"{way}/orders", json={"product_id": 3}).status_code == 404
    assert client.get(f"{way}/orders").json() == []


def test_starts_and_stops_with_the_application(client, dbguard_service):
    assert get_database_service() is dbguard_service
    assert client.get("/health/live").json() == {"state": "started"}
    assert client.get("/health/ready").status_code == 200
    client.__exit__()
    assert dbguard_service.state == "stopped"
    client.__enter__()
    assert client.post("/orders", json={"product_id": 1}).json() == {"id": 1}


def test_the_role_for_reading_refuses_to_write(dbguard_service):
    with dbguard_service.readonly() as session, pytest.raises(DBAPIError):
        session.execute(insert(Order).values(product_id=1))


@pytest.mark.asyncio
async def test_works_without_a_lifespan(dbguard_service):
    async with AsyncClient(transport=ASGITransport(app), base_url="http://shop") as client:
        assert (await client.post("/async/orders", json={"product_id": 1})).json() == {"id": 1}
        assert (await client.get("/async/orders")).json() == ["Tea"]
        assert (await client.get("/health/live")).json() == {"state": "started"}
    assert "INSERT INTO orders" in str(dbguard_service.performance_summary())
