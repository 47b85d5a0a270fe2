"""The shop's API under pytest-asyncio, which runs each test in an event loop of its own."""

import asyncio

import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient
from shop import app

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def client():
    async with AsyncClient(transport=ASGITransport(app), base_url="http://shop") as client:
        yield client


@pytest.mark.parametrize("product", [1, 2])
async def test_places_an_order(client, product):
    assert (await client.post("/orders", json={"product_id": product})).json() == {"id": 1}
    assert (await client.get("/orders")).json() == [["Tea", "Cup"][product - 1]]


async def test_serves_many_at_once(client):
    posts = [client.post("/orders", json={"product_id": 1}) for _ in range(5)]
    answers = await asyncio.gather(*posts)
    assert sorted(answer.json()["id"] for answer in answers) == [1, 2, 3, 4, 5]


async def test_refuses_an_unknown_product(client):
    assert (await client.post("/orders", json={"product_id": 3})).status_code == 404
    assert (await client.get("/orders")).json() == []
