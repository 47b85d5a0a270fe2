"""What came into the warehouse and what left it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.models.base import Base, WithId

if TYPE_CHECKING:
    from shop.models.catalogue import Product


class StockMovement(WithId, Base):
    """Pieces of a product that came in (positive) or left (negative)."""

    __tablename__ = "stock_movements"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    quantity: Mapped[int]
    reason: Mapped[str] = mapped_column(String(40))

    product: Mapped[Product] = relationship(back_populates="movements")
