"""Services on asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, selectinload

from shop.models import AuditLog, Category, Customer, Item, Order, Product, Rate

Maker = async_sessionmaker[AsyncSession]


async def names(session: AsyncSession, ids: list[int]) -> list[str]:
    out = []
    for pk in ids:  # loop: DBG103 customer @test_await_in_a_loop
        stmt = select(Customer.name).where(Customer.id == pk)
        out.append((await session.scalars(stmt)).one())  # expect: DBG103 customer @test_await_in_a_loop
    return out


async def get_all(session: AsyncSession, ids: list[int]) -> list[Product | None]:
    found = []
    for pk in ids:  # loop: DBG103 product @test_async_get
        found.append(await session.get(Product, pk))  # expect: DBG103 product @test_async_get
    return found


async def price(maker: Maker, pk: int) -> int:
    async with maker() as session:
        stmt = select(Product.price).where(Product.id == pk)
        return (await session.scalars(stmt)).one()  # expect: DBG103 product @test_gather @test_task_group


async def prices_gathered(maker: Maker, ids: list[int]) -> int:
    return sum(await asyncio.gather(*(price(maker, pk) for pk in ids)))


async def prices_grouped(maker: Maker, ids: list[int]) -> int:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(price(maker, pk)) for pk in ids]
    return sum(task.result() for task in tasks)


async def orders_of(session: AsyncSession) -> AsyncIterator[Order]:
    for order in (await session.scalars(select(Order).order_by(Order.id))).all():
        yield order


async def states(session: AsyncSession) -> dict[int, int | None]:
    out = {}
    async for order in orders_of(session):  # loop: DBG103 item @test_async_generator
        out[order.id] = await items_of(session, order.id)
    return out


async def items_of(session: AsyncSession, order_id: int) -> int | None:
    stmt = select(func.sum(Item.quantity)).where(Item.order_id == order_id)
    return await session.scalar(stmt)  # expect: DBG103 item @test_async_generator


def lazy_names(session: Session) -> list[str]:
    stmt = select(Order).order_by(Order.id)
    orders = session.scalars(stmt).all()  # origin: DBG101 Order.customer @test_run_sync
    out = []
    for order in orders:  # loop: DBG101 Order.customer @test_run_sync
        out.append(order.customer.name)  # expect: DBG101 Order.customer @test_run_sync
    return out


async def lazy_through_run_sync(session: AsyncSession) -> list[str]:
    return await session.run_sync(lazy_names)


async def log_each(session: AsyncSession, messages: list[str]) -> None:
    for message in messages:  # loop: DBG104 audit_log @test_async_flush
        session.add(AuditLog(message=message))
        await session.flush()  # expect: DBG104 audit_log @test_async_flush
    await session.commit()


async def commit_each(session: AsyncSession, messages: list[str]) -> None:
    for message in messages:  # loop: DBG502 audit_log @test_async_commit
        session.add(AuditLog(message=message))
        await session.commit()  # expect: DBG502 audit_log @test_async_commit


async def dashboard(maker: Maker) -> tuple[int | None, ...]:
    """Four different questions at the same time."""

    async def count(model: type) -> int | None:
        async with maker() as session:
            return await session.scalar(select(func.count()).select_from(model))

    return tuple(await asyncio.gather(count(Customer), count(Order), count(Product), count(Category)))


async def streamed(session: AsyncSession) -> int:
    result = await session.stream(select(Order.total))
    return sum([total async for total in result.scalars()])


async def loaded(session: AsyncSession) -> int:
    orders = (await session.scalars(select(Order).options(selectinload(Order.items)))).all()
    return sum(len(order.items) for order in orders)


async def rates(session: AsyncSession, currencies: list[str]) -> dict[str, int]:
    found = await session.execute(select(Rate.currency, Rate.value).where(Rate.currency.in_(currencies)))
    return {currency: value for currency, value in found}  # noqa: C416


async def paged(session: AsyncSession, size: int) -> int:
    last = seen = 0
    while True:
        stmt = select(Order.id).where(Order.id > last).order_by(Order.id).limit(size)
        ids = (await session.scalars(stmt)).all()
        if not ids:
            return seen
        seen += len(ids)
        last = ids[-1]


async def wait_for(session: AsyncSession, pk: int, polls: int) -> str | None:
    """Poll with a pause that gives way to other tasks."""
    state = None
    for _ in range(polls):
        state = await session.scalar(select(Order.state).where(Order.id == pk))
        if state == "shipped":
            break
        await session.rollback()
        await asyncio.sleep(0)
    return state


async def handle(maker: Maker, pk: int) -> str:
    """Handle one message of its own: what a consumer is."""
    async with maker() as session:
        order = (await session.scalars(select(Order).where(Order.id == pk))).one()
        return order.state


async def retry(maker: Maker, pk: int, failures: int) -> str | None:
    for attempt in range(5):
        try:
            async with maker() as session:
                found = (await session.scalars(select(Order.state).where(Order.id == pk))).one()
                if attempt < failures:
                    raise ConnectionError(pk)
                return found
        except ConnectionError:
            continue
    return None
