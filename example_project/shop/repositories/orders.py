"""Orders, by what the shop asks of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from shop.models import Order, OrderLine

CHUNK = 3


def all_orders(session: Session) -> Sequence[Order]:
    """Return all orders, oldest first."""
    return session.scalars(select(Order).order_by(Order.id)).all()


def with_lines(session: Session) -> Sequence[Order]:
    """Return all orders together with their lines and products."""
    stmt = select(Order).options(selectinload(Order.lines).selectinload(OrderLine.product)).order_by(Order.id)
    return session.scalars(stmt).all()


def by_reference(session: Session, reference: str) -> Order:
    """Return one order."""
    return session.scalars(select(Order).where(Order.reference == reference)).one()


def pages(session: Session, size: int) -> Iterator[Sequence[Order]]:
    """Yield pages of orders by a moving key."""
    last = 0
    while True:
        stmt = select(Order).where(Order.id > last).order_by(Order.id).limit(size)
        page = session.scalars(stmt).all()  # innocent: keyset pagination asks once for each page
        if not page:
            return
        yield page
        last = page[-1].id


def by_ids(session: Session, ids: Sequence[int]) -> list[Order]:
    """Return orders by id, in chunks so that no statement has too many parameters."""
    found: list[Order] = []
    for start in range(0, len(ids), CHUNK):
        stmt = select(Order).where(Order.id.in_(ids[start : start + CHUNK]))
        found += session.scalars(stmt)  # innocent: chunks of a long list
    return found


def count_of_customer(session: Session, customer_id: int) -> int:
    """Return how many orders a customer has placed."""
    stmt = select(func.count()).select_from(Order).where(Order.customer_id == customer_id)
    return session.scalar(stmt) or 0  # planted: DBG103 orders
