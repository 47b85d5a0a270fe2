"""What people look for: customers, addresses, reviews and orders, by other things than keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.models import Address, Customer, Order, OrderStatus, Review


def addresses_in(session: Session, city: str) -> Sequence[Address]:
    """Return the addresses in a city."""
    return session.scalars(select(Address).where(Address.city == city)).all()  # planted: DBG201 addresses.city


def customer_by_email(session: Session, email: str) -> Customer | None:
    """Return the customer with an address for mail, however it is spelt."""
    stmt = select(Customer).where(func.lower(Customer.email) == email.lower())
    return session.scalars(stmt).one_or_none()  # planted: DBG203 customers.email


def best_reviews(session: Session, number: int) -> Sequence[Review]:
    """Return the reviews with most stars."""
    stmt = select(Review).order_by(Review.stars.desc()).limit(number)
    return session.scalars(stmt).all()  # planted: DBG204 reviews.stars


def exact_email(session: Session, email: str) -> Customer | None:
    """Return the customer with exactly this address for mail."""
    # innocent: the unique constraint is an index
    return session.scalars(select(Customer).where(Customer.email == email)).one_or_none()


def placed_since(session: Session, day: date, number: int) -> Sequence[Order]:
    """Return the latest orders since a day."""
    stmt = select(Order).where(Order.placed_on >= day).order_by(Order.placed_on.desc()).limit(number)
    return session.scalars(stmt).all()  # innocent: an index serves both the range and the order


def unpaid_of(session: Session, customer_id: int) -> Sequence[Order]:
    """Return what a customer has still to pay."""
    stmt = select(Order).where(Order.customer_id == customer_id, Order.status == OrderStatus.PLACED)
    return session.scalars(stmt).all()  # innocent: of the few orders of a customer the status picks some
