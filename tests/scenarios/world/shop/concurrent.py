"""asyncio at work: pools, semaphores, queues, threads of a loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, selectinload, sessionmaker

from shop.models import AuditLog, Category, Customer, Item, Job, Order, Product

Maker = async_sessionmaker[AsyncSession]


async def name_of(maker: Maker, limit: asyncio.Semaphore, pk: int) -> str:
    async with limit, maker() as session:
        stmt = select(Customer.name).where(Customer.id == pk)
        return (await session.scalars(stmt)).one()  # expect: DBG103 customer @test_semaphore


async def names(maker: Maker, ids: Iterable[int]) -> list[str]:
    limit = asyncio.Semaphore(2)
    return await asyncio.gather(*[name_of(maker, limit, pk) for pk in ids])


async def stock_of(maker: Maker, pk: int) -> int:
    async with maker() as session:
        stmt = select(Product.stock).where(Product.id == pk)
        return (await session.scalars(stmt)).one()  # expect: DBG103 product @test_as_completed


async def stocks(maker: Maker, ids: Iterable[int]) -> int:
    total = 0
    for done in asyncio.as_completed([stock_of(maker, pk) for pk in ids]):
        total += await done
    return total


def state_of(maker: sessionmaker[Session], pk: int) -> str:
    with maker() as session:
        stmt = select(Order.state).where(Order.id == pk)
        return session.scalars(stmt).one()  # expect: DBG103 orders @test_to_thread_in_a_loop


async def states(maker: sessionmaker[Session], ids: Iterable[int]) -> list[str]:
    out = []
    for pk in ids:  # loop: DBG103 orders @test_to_thread_in_a_loop
        out.append(await asyncio.to_thread(state_of, maker, pk))
    return out


async def size_of(connection: AsyncConnection, pk: int) -> int:
    stmt = select(func.sum(Item.quantity)).where(Item.order_id == pk)
    return await connection.scalar(stmt) or 0  # expect: DBG103 item @test_async_connection


async def all_sizes(maker: Maker, ids: Iterable[int]) -> list[int]:
    async with maker() as session:
        connection = await session.connection()
        return [await size_of(connection, pk) for pk in ids]  # loop: DBG103 item @test_async_connection


async def refreshed_collections(session: AsyncSession) -> int:
    """Load each collection by refresh(): it is the refresh that repeats, whatever attribute it names."""
    total = 0
    orders = (await session.scalars(select(Order))).all()  # origin: DBG102 Order @test_refresh_of_a_collection
    for order in orders:  # loop: DBG102 Order @test_refresh_of_a_collection
        await session.refresh(order, ["items"])  # expect: DBG102 Order @test_refresh_of_a_collection
        total += len(order.items)
    return total


@asynccontextmanager
async def unit_of_work(maker: Maker) -> AsyncIterator[AsyncSession]:
    async with maker() as session, session.begin():
        yield session


async def log_all(maker: Maker, messages: list[str]) -> None:
    async with unit_of_work(maker) as session:
        await session.execute(insert(AuditLog), [{"message": message} for message in messages])


async def chunk(maker: Maker, ids: list[int]) -> int:
    async with maker() as session:
        found = await session.scalars(select(Product).where(Product.id.in_(ids)))  # expect: DBG111 product @test_chunks_gathered  # noqa: E501 # fmt: skip
        return len(found.all())


async def in_chunks(maker: Maker, ids: list[int], size: int) -> int:
    """Several IN lists at the same time."""
    chunks = [ids[start : start + size] for start in range(0, len(ids), size)]
    found = await asyncio.gather(*(chunk(maker, part) for part in chunks))
    return sum(found)


async def page(session: AsyncSession, after: int, size: int) -> list[Item]:
    stmt = select(Item).where(Item.id > after).order_by(Item.id).limit(size)
    return list((await session.scalars(stmt)).all())


async def pages(session: AsyncSession, size: int) -> AsyncIterator[Item]:
    after = 0
    while items := await page(session, after, size):
        for item in items:
            yield item
        after = items[-1].id


async def walk(session: AsyncSession, size: int) -> int:
    return sum([item.quantity async for item in pages(session, size)])


async def summary(maker: Maker) -> dict[str, int]:
    """Two tasks of one group, each a question of its own."""

    async def orders() -> int:
        async with maker() as session:
            return len((await session.scalars(select(Order.id).where(Order.total > 100).limit(50))).unique().all())

    async def loaded() -> int:
        async with maker() as session:
            found = await session.scalars(select(Customer).options(selectinload(Customer.orders)))
            return sum(len(customer.orders) for customer in found)

    async with asyncio.TaskGroup() as group:
        one, other = group.create_task(orders()), group.create_task(loaded())
    return {"above": one.result(), "all": other.result()}


async def claim(maker: Maker) -> bool:
    async with maker() as session, session.begin():
        stmt = select(Job).where(Job.state == "waiting").order_by(Job.id).limit(1).with_for_update(skip_locked=True)
        job = (await session.scalars(stmt)).first()
        if job is not None:
            job.state = "done"
        return job is not None


async def work(maker: Maker) -> int:
    done = 0
    while await claim(maker):
        done += 1
    return done


async def rename(maker: Maker, pk: int, name: str) -> str:
    """Read, change, commit, once."""
    async with unit_of_work(maker) as session:
        category = await session.get_one(Category, pk)
        category.name = name
    return category.name
