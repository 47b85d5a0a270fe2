"""The shop's API under pytest-asyncio: with an event loop for each test, and with one for all of them."""

import asyncio

import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient
from shop import app, sessions


def connect():
    return AsyncClient(transport=ASGITransport(app), base_url="http://shop")


@pytest.mark.asyncio
class TestLoopOfItsOwn:
    @pytest_asyncio.fixture
    async def client(self):
        async with connect() as client:
            yield client

    @pytest.mark.parametrize("product", [1, 2])
    async def test_places_an_order(self, client, product):
        assert (await client.post("/orders", json={"product_id": product})).json() == {"id": 1}
        assert (await client.get("/orders")).json() == [["Tea", "Cup"][product - 1]]

    async def test_serves_many_at_once(self, client):
        posts = [client.post("/orders", json={"product_id": 1}) for _ in range(5)]
        answers = await asyncio.gather(*posts)
        assert sorted(answer.json()["id"] for answer in answers) == [1, 2, 3, 4, 5]

    async def test_refuses_an_unknown_product(self, client):
        assert (await client.post("/orders", json={"product_id": 3})).status_code == 404
        assert (await client.get("/orders")).json() == []


@pytest.mark.asyncio(loop_scope="session")
class TestOneLoopForAll:
    @pytest_asyncio.fixture(scope="class", loop_scope="session")
    async def client(self):
        async with connect() as client:
            yield client

    @pytest_asyncio.fixture(scope="class", loop_scope="session")
    async def first_order(self, client):
        return (await client.post("/orders", json={"product_id": 2})).json()["id"]

    @pytest.mark.parametrize("turn", range(3))
    async def test_finds_the_order_of_a_fixture_of_wider_scope(self, client, first_order, turn):
        assert (await client.get("/orders")).json() == ["Cup"]
        assert (await client.post("/orders", json={"product_id": 1})).json() == {"id": first_order + 1}

    async def test_reads_what_the_application_committed(self, client, first_order, dbguard_async_session):
        from shop import Order

        order = await dbguard_async_session.get(Order, first_order)
        async with sessions.begin() as session:
            await session.delete(await session.get(Order, first_order))
        assert order.product_id == 2
        assert (await client.get("/orders")).json() == []
