"""Long results, read in parts."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from shop.models import Item, Order, Product


def owners(session: Session) -> Iterator[str]:
    statement = select(Order).execution_options(yield_per=4)
    for order in session.scalars(statement):  # origin: DBG101 Order.customer @test_yield_per # loop: DBG101 Order.customer @test_yield_per  # noqa: E501 # fmt: skip
        yield order.customer.name  # expect: DBG101 Order.customer @test_yield_per


def item_counts(session: Session) -> list[int]:
    counts = []
    for part in session.scalars(select(Order)).partitions(5):  # origin: DBG101 Order.items @test_partitions
        for order in part:  # loop: DBG101 Order.items @test_partitions
            counts.append(len(order.items))  # expect: DBG101 Order.items @test_partitions
    return counts


def skus(session: Session) -> list[str]:
    result = session.scalars(select(Item))  # origin: DBG101 Item.product @test_fetch_by_hand
    found = []
    while items := result.fetchmany(8):
        for item in items:  # loop: DBG101 Item.product @test_fetch_by_hand
            found.append(item.product.sku)  # expect: DBG101 Item.product @test_fetch_by_hand
    return found


def categories(session: Session) -> list[str]:
    result = iter(session.scalars(select(Product)))  # origin: DBG101 Product.category @test_next_by_hand
    found = []
    while (product := next(result, None)) is not None:  # loop: DBG101 Product.category @test_next_by_hand
        found.append(product.category.name)  # expect: DBG101 Product.category @test_next_by_hand
    return found


# --- as it should be ---


def counts_streamed(session: Session) -> list[int]:
    statement = select(Order).options(selectinload(Order.items)).execution_options(yield_per=4)
    return [len(order.items) for order in session.scalars(statement)]


def items_by_part(session: Session) -> list[int]:
    quantities = []
    order_ids = session.scalars(select(Order.id)).all()
    for start in range(0, len(order_ids), 5):
        part = order_ids[start : start + 5]
        items = session.scalars(select(Item).where(Item.order_id.in_(part)))
        quantities.extend(item.quantity for item in items)
    return quantities


def numbers(session: Session) -> list[str]:
    rows = session.execute(select(Order.number, Order.status).execution_options(yield_per=3))
    return [f"{number} {status}" for part in rows.partitions() for number, status in part]


def unique_orders(session: Session) -> list[str]:
    statement = select(Order).join(Order.items)
    return [order.number for order in session.scalars(statement).unique()]
