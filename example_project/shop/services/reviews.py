"""What customers think, ready for the web."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from shop.models import Order, Review
from shop.schemas import ReviewOut


def newest(session: Session) -> list[ReviewOut]:
    """Return all reviews, newest first, with their authors."""
    reviews = session.scalars(select(Review).order_by(Review.id.desc())).all()
    return [ReviewOut.model_validate(review) for review in reviews]  # planted: DBG101 Review.customer


async def lines_of_orders(session: AsyncSession) -> dict[str, int]:
    """Return how many lines each order has."""
    counts = {}
    for order in await session.scalars(select(Order).order_by(Order.id)):
        counts[order.reference] = len(await order.awaitable_attrs.lines)  # planted: DBG101 Order.lines
    return counts
