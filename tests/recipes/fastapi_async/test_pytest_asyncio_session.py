"""The shop's API under pytest-asyncio with one event loop for all tests, and a fixture that writes for all of them."""

import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient
from shop import Order, app, sessions

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client():
    async with AsyncClient(transport=ASGITransport(app), base_url="http://shop") as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def first_order(client):
    return (await client.post("/orders", json={"product_id": 2})).json()["id"]


@pytest.mark.parametrize("turn", range(2))
async def test_finds_the_order_of_the_fixture(client, first_order, turn):
    assert (await client.get("/orders")).json() == ["Cup"]
    assert (await client.post("/orders", json={"product_id": 1})).json() == {"id": first_order + 1}


async def test_cancels_the_order_of_the_fixture(client, first_order):
    async with sessions.begin() as session:
        await session.delete(await session.get(Order, first_order))
    assert (await client.get("/orders")).json() == []


async def test_reads_on_its_own(first_order, dbguard_async_session):
    order = await dbguard_async_session.get(Order, first_order)
    assert order.product_id == 2
