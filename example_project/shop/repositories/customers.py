"""Customers, by what the shop asks of them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.models import ApiKey, Customer


def all_customers(session: Session) -> Sequence[Customer]:
    """Return all customers by name."""
    return session.scalars(select(Customer).order_by(Customer.name)).all()


def of_key(session: Session, key: str) -> Customer | None:
    """Return the customer a key belongs to; None when there is no such key."""
    # innocent: asked once for each request, however many requests a test sends
    return session.scalars(select(Customer).join(ApiKey).where(ApiKey.key == key)).one_or_none()
