"""What customers think of products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.models.base import Base, WithId

if TYPE_CHECKING:
    from shop.models.catalogue import Product
    from shop.models.customers import Customer


class Review(WithId, Base):
    """One to five stars and a few words."""

    __tablename__ = "reviews"
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),)

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    stars: Mapped[int]
    text: Mapped[str] = mapped_column(Text, default="")

    product: Mapped[Product] = relationship(back_populates="reviews")
    customer: Mapped[Customer] = relationship()
