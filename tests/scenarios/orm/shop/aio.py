"""The shop's asynchronous side."""

from __future__ import annotations

import asyncio

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.models import Account, Category, Customer, Document, Item, Order, Product


async def names(session: AsyncSession) -> list[str]:
    found = []
    orders = (await session.scalars(select(Order))).all()  # origin: DBG101 Order.customer @test_awaited_parent
    for order in orders:  # loop: DBG101 Order.customer @test_awaited_parent
        customer = await order.awaitable_attrs.customer  # expect: DBG101 Order.customer @test_awaited_parent
        found.append(customer.name)
    return found


async def quantities(session: AsyncSession) -> int:
    total = 0
    customers = await session.scalars(select(Customer))  # origin: DBG101 Customer.orders @test_awaited_levels # origin: DBG101 Order.items @test_awaited_levels  # noqa: E501 # fmt: skip
    for customer in customers.all():  # loop: DBG101 Customer.orders @test_awaited_levels
        for order in await customer.awaitable_attrs.orders:  # expect: DBG101 Customer.orders @test_awaited_levels # loop: DBG101 Order.items @test_awaited_levels  # noqa: E501 # fmt: skip
            items = await order.awaitable_attrs.items  # expect: DBG101 Order.items @test_awaited_levels
            total += sum(item.quantity for item in items)
    return total


async def by_ids(session: AsyncSession, ids: list[int]) -> list[str]:
    found = []
    for customer_id in ids:  # loop: DBG103 customer @test_awaited_get
        customer = await session.get(Customer, customer_id)  # expect: DBG103 customer @test_awaited_get
        found.append(customer.name)
    return found


def _lines(session: Session) -> list[str]:
    lines = []
    for order in session.scalars(select(Order)).all():  # origin: DBG101 Order.customer @test_run_sync # loop: DBG101 Order.customer @test_run_sync  # noqa: E501 # fmt: skip
        lines.append(order.customer.name)  # expect: DBG101 Order.customer @test_run_sync
    return lines


async def lines(session: AsyncSession) -> list[str]:
    return await session.run_sync(_lines)


async def _order_count(engine: AsyncEngine, customer_id: int) -> int:
    async with AsyncSession(engine) as session:
        mine = select(func.count()).select_from(Order).where(Order.customer_id == customer_id)
        return await session.scalar(mine)  # expect: DBG103 orders @test_gather


async def order_counts(engine: AsyncEngine) -> list[int]:
    return await asyncio.gather(*[_order_count(engine, customer_id) for customer_id in range(1, 8)])


async def fresh(session: AsyncSession) -> list[int]:
    balances = []
    for account in (await session.scalars(select(Account))).all():  # origin: DBG102 Account @test_awaited_refresh # loop: DBG102 Account @test_awaited_refresh  # noqa: E501 # fmt: skip
        await session.refresh(account)  # expect: DBG102 Account @test_awaited_refresh
        balances.append(account.balance)
    return balances


async def bodies(session: AsyncSession) -> list[str]:
    documents = (await session.scalars(select(Document))).all()  # origin: DBG102 Document.body @test_awaited_deferred
    return [
        await document.awaitable_attrs.body  # expect: DBG102 Document.body @test_awaited_deferred
        for document in documents
    ]


async def outline(session: AsyncSession) -> list[str]:
    roots = select(Category).where(Category.parent_id.is_(None))
    root = (await session.scalars(roots)).one()  # origin: DBG101 Category.children @test_awaited_tree
    return await _outline(root)


async def _outline(node: Category) -> list[str]:
    found = [node.name]
    for child in await node.awaitable_attrs.children:  # expect: DBG101 Category.children @test_awaited_tree # loop: DBG101 Category.children @test_awaited_tree  # noqa: E501 # fmt: skip
        found += await _outline(child)
    return found


async def streamed(session: AsyncSession, engine: AsyncEngine) -> list[int]:
    counts = []
    async with AsyncSession(engine) as other:
        async for customer in await session.stream_scalars(select(Customer)):  # loop: DBG103 orders @test_stream_and_ask  # noqa: E501 # fmt: skip
            mine = select(func.count()).select_from(Order).where(Order.customer_id == customer.id)
            counts.append(await other.scalar(mine))  # expect: DBG103 orders @test_stream_and_ask
    return counts


async def merged(session: AsyncSession, prices: dict[int, int]) -> int:
    products = []
    for product_id, price in prices.items():  # loop: DBG103 product @test_awaited_merge
        products.append(await session.merge(Product(id=product_id, price=price)))  # expect: DBG103 product @test_awaited_merge  # noqa: E501 # fmt: skip
    return sum(product.price for product in products)


# --- as it should be ---


async def names_joined(session: AsyncSession) -> list[str]:
    orders = await session.scalars(select(Order).options(joinedload(Order.customer)))
    return [order.customer.name for order in orders]


async def detail(session: AsyncSession, order_id: int) -> list[str]:
    order = await session.get(Order, order_id)
    customer = await order.awaitable_attrs.customer
    items = await order.awaitable_attrs.items
    return [customer.name, *(str(item.quantity) for item in items)]


async def totals(engine: AsyncEngine) -> tuple[int, int]:
    async def count(model: type) -> int:
        async with AsyncSession(engine) as session:
            return await session.scalar(select(func.count()).select_from(model))

    async with asyncio.TaskGroup() as group:
        orders = group.create_task(count(Order))
        items = group.create_task(count(Item))
    return orders.result(), items.result()


async def streamed_loaded(session: AsyncSession) -> list[int]:
    statement = select(Customer).options(selectinload(Customer.orders)).execution_options(yield_per=3)
    return [len(customer.orders) async for customer in await session.stream_scalars(statement)]


async def deposit(session: AsyncSession, account_id: int) -> int:
    account = await session.get(Account, account_id)
    account.balance += 1
    await session.commit()
    await session.refresh(account)
    return account.balance


async def with_items(session: AsyncSession, order_id: int) -> list[int]:
    order = await session.get(Order, order_id)
    await session.refresh(order, attribute_names=["items"])
    return [item.quantity for item in order.items]


async def awaited_but_loaded(session: AsyncSession) -> int:
    orders = await session.scalars(select(Order).options(selectinload(Order.items)))
    return sum([len(await order.awaitable_attrs.items) for order in orders])


async def after_commit(session: AsyncSession) -> list[int]:
    accounts = (await session.scalars(select(Account))).all()
    for account in accounts:
        account.balance += 1
    await session.commit()
    return [account.balance for account in accounts]
