"""What was bought: orders and their lines."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.models.base import Base, WithId, status_type

if TYPE_CHECKING:
    from shop.models.billing import Invoice
    from shop.models.catalogue import Product
    from shop.models.customers import Customer


class OrderStatus(StrEnum):
    """How far an order has come."""

    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"


class Order(WithId, Base):
    """One order of one customer."""

    __tablename__ = "orders"

    reference: Mapped[str] = mapped_column(String(20), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    status: Mapped[OrderStatus] = mapped_column(status_type(OrderStatus), default=OrderStatus.PLACED, index=True)
    placed_on: Mapped[date] = mapped_column(index=True)

    customer: Mapped[Customer] = relationship(back_populates="orders")
    lines: Mapped[list[OrderLine]] = relationship(back_populates="order", order_by="OrderLine.id")
    invoice: Mapped[Invoice | None] = relationship(back_populates="order")


class OrderLine(WithId, Base):
    """Some pieces of one product, at the price of the day."""

    __tablename__ = "order_lines"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    quantity: Mapped[int]
    unit_price_cents: Mapped[int]

    order: Mapped[Order] = relationship(back_populates="lines")
    product: Mapped[Product] = relationship()

    @property
    def amount_cents(self) -> int:
        """What the line costs."""
        return self.quantity * self.unit_price_cents
