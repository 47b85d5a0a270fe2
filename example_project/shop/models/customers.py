"""Who buys: customers, their addresses, and the keys their programs sign in with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.models.base import Base, WithId

if TYPE_CHECKING:
    from shop.models.orders import Order


class Customer(WithId, Base):
    """A person or company that has an account."""

    __tablename__ = "customers"

    name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(200), unique=True)

    orders: Mapped[list[Order]] = relationship(back_populates="customer", order_by="Order.id")
    addresses: Mapped[list[Address]] = relationship(back_populates="customer", order_by="Address.id")


class Address(WithId, Base):
    """Where to send parcels."""

    __tablename__ = "addresses"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    street: Mapped[str] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(100))

    customer: Mapped[Customer] = relationship(back_populates="addresses")


class ApiKey(WithId, Base):
    """A key for the API; one customer may have several."""

    __tablename__ = "api_keys"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)

    customer: Mapped[Customer] = relationship()
