"""The shop's API under anyio's plugin: with an event loop for each test, and with one that a fixture holds."""

import pytest
from httpx import ASGITransport, AsyncClient
from shop import app

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


def connect():
    return AsyncClient(transport=ASGITransport(app), base_url="http://shop")


class TestLoopOfItsOwn:
    @pytest.fixture
    async def client(self):
        async with connect() as client:
            yield client

    @pytest.mark.parametrize("product", [1, 2])
    async def test_places_an_order(self, client, product):
        assert (await client.post("/orders", json={"product_id": product})).json() == {"id": 1}
        assert (await client.get("/orders")).json() == [["Tea", "Cup"][product - 1]]


class TestOneLoopForAll:
    @pytest.fixture(scope="module")
    async def client(self, anyio_backend):
        async with connect() as client:
            yield client

    @pytest.mark.parametrize("product", [1, 2])
    async def test_places_an_order(self, client, product):
        assert (await client.get("/orders")).json() == []
        assert (await client.post("/orders", json={"product_id": product})).json() == {"id": 1}
