"""The shop through Litestar's test clients, which start and stop the application for each test."""

import pytest
from litestar.testing import AsyncTestClient, TestClient
from shop import app


@pytest.fixture
async def client():
    async with AsyncTestClient(app) as client:
        yield client


@pytest.mark.parametrize("name", ["Pot", "Spoon"])
async def test_adds_a_product(client, name):
    assert (await client.post("/products", json={"name": name})).json() == {"id": 3}
    assert (await client.get("/products")).json() == ["Tea", "Cup", name]


async def test_keeps_nothing_of_a_request_that_fails(client):
    assert (await client.post("/products", json={"name": "Tea"})).status_code == 500
    assert (await client.get("/products")).json() == ["Tea", "Cup"]


@pytest.mark.parametrize("turn", range(2))
def test_serves_the_synchronous_client(turn):
    with TestClient(app) as client:
        assert client.post("/products", json={"name": "Pot"}).json() == {"id": 3}
        assert client.get("/products").json() == ["Tea", "Cup", "Pot"]
