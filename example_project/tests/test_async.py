"""The async part."""

from __future__ import annotations

import httpx
from shop.models import Customer
from shop.services import reviews
from sqlalchemy import select
from sqlalchemy.orm import selectinload


async def test_lines(async_app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=async_app), base_url="http://shop") as client:
        assert (await client.get("/lines")).json()["R00"] == 2


async def test_references(async_app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=async_app), base_url="http://shop") as client:
        assert (await client.get("/references")).json()[:2] == ["R00", "R01"]


async def test_service(dbguard_async_session):
    assert set((await reviews.lines_of_orders(dbguard_async_session)).values()) == {2}


async def test_loaded_together(dbguard_async_session):
    stmt = select(Customer).options(selectinload(Customer.orders))
    # innocent: loaded together, by selectinload
    assert [len(customer.orders) for customer in await dbguard_async_session.scalars(stmt)] == [2, 2, 2, 2]
