"""What was billed: one invoice for each order."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.models.base import Base, WithId

if TYPE_CHECKING:
    from shop.models.orders import Order


class Invoice(WithId, Base):
    """The bill for an order; its number is its id, without gaps."""

    __tablename__ = "invoices"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    total_cents: Mapped[int]
    issued_on: Mapped[date]

    order: Mapped[Order] = relationship(back_populates="invoice")
