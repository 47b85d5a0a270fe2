"""A load that asynchronous code cannot wait for is explained on the failed test."""

from __future__ import annotations

import json

SHOP = """
from __future__ import annotations

from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, load_only, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(default="open")
    items: Mapped[list[Item]] = relationship()


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)


async def find(session: AsyncSession, *options) -> Order:
    return (await session.scalars(select(Order).options(*options))).one()


async def lazy(session):
    order = await find(session)
    return order.items


async def deferred(session):
    order = await find(session, load_only(Order.id))
    return order.status


async def expired(session):
    order = await find(session)
    await session.commit()
    return order.status


async def other_error(session):
    await find(session)
    raise KeyError("status")
"""
TESTS = """
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

import shop


@pytest.mark.parametrize("function", ["lazy", "deferred", "expired", "other_error"])
async def test_it(function):
    engine = create_async_engine("sqlite+aiosqlite://")
    try:
        async with engine.begin() as connection:
            await connection.run_sync(shop.Base.metadata.create_all)
        async with AsyncSession(engine) as session:
            session.add(shop.Order(items=[shop.Item()]))
            await session.commit()
        async with AsyncSession(engine) as session:
            await getattr(shop, function)(session)
    finally:
        await engine.dispose()
"""


def test_a_cold_session_shows_it_where_the_test_hides_it(pytester):
    pytester.makepyfile(
        shop=SHOP,
        test_async="""
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

import shop


async def test_it():
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(shop.Base.metadata.create_all)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        order = shop.Order(items=[shop.Item()])
        session.add(order)
        await session.commit()
        assert len(await shop.lazy(session)) == 1
    await engine.dispose()
""",
    )
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    result = pytester.runpytest_subprocess("--dbguard", "--dbguard-report=json:report.json")
    assert result.ret == 0
    result = pytester.runpytest_subprocess("--dbguard", "--dbguard-cold", "--dbguard-report=json:report.json")
    assert result.ret == 1
    result.assert_outcomes(passed=1)
    (finding,) = json.loads((pytester.path / "report.json").read_text())["findings"]
    assert (finding["rule"], finding["subject"], finding["site"]["line"]) == ("DBG101", "Order.items", 31)
    assert (finding["origin"]["line"], finding["evidence"]) == (26, ["shown with a cold session"])
    assert "MissingGreenlet" in finding["message"]


def test_the_failure_says_what_was_loaded_where_and_what_to_add(pytester):
    pytester.makepyfile(shop=SHOP, test_async=TESTS)
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    result = pytester.runpytest_subprocess("--dbguard", "--tb=short")
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(
        [
            "*test_it[[]lazy[]]*",
            "* dbguard: a load in asynchronous code *",
            "`Order.items` is loaded lazily at shop.py:31 in lazy, where asynchronous code cannot wait *",
            "Load it with the query at shop.py:26 in find:",
            "    select(Order).options(selectinload(Order.items))",
            "    await order.awaitable_attrs.items",
            "*test_it[[]deferred[]]*",
            "`Order.status` is deferred and loaded at shop.py:36 in deferred, *",
            "Load it with the query at shop.py:26 in find:",
            "    select(Order).options(undefer(Order.status))",
            "*test_it[[]expired[]]*",
            "Columns of `Order` are loaded again at shop.py:42 in expired, *",
            "They were expired by the commit at shop.py:41 in expired.",
            "    async_sessionmaker(engine, expire_on_commit=False)",
        ]
    )
    assert result.stdout.str().count("dbguard: a load in asynchronous code") == 3
