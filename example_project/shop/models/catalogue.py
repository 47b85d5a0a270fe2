"""What the shop sells: suppliers, a tree of categories, products and their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.models.base import Base, WithId

if TYPE_CHECKING:
    from shop.models.reviews import Review
    from shop.models.stock import StockMovement

product_tags = Table(
    "product_tags",
    Base.metadata,
    Column("product_id", ForeignKey("products.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True, index=True),
)


class Supplier(WithId, Base):
    """Who makes or imports a product."""

    __tablename__ = "suppliers"

    name: Mapped[str] = mapped_column(String(100), unique=True)
    country: Mapped[str] = mapped_column(String(2))


class Category(WithId, Base):
    """A node of the category tree; roots have no parent."""

    __tablename__ = "categories"

    name: Mapped[str] = mapped_column(String(100))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"), index=True)

    parent: Mapped[Category | None] = relationship(back_populates="children", remote_side="Category.id")
    children: Mapped[list[Category]] = relationship(back_populates="parent", order_by="Category.name")
    products: Mapped[list[Product]] = relationship(back_populates="category")


class Tag(WithId, Base):
    """A word that customers search by."""

    __tablename__ = "tags"

    name: Mapped[str] = mapped_column(String(50), unique=True)


class Product(WithId, Base):
    """Something to buy."""

    __tablename__ = "products"

    sku: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    price_cents: Mapped[int]
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("suppliers.id"), index=True)

    category: Mapped[Category] = relationship(back_populates="products")
    supplier: Mapped[Supplier] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=product_tags, order_by="Tag.name")
    movements: Mapped[list[StockMovement]] = relationship(back_populates="product")
    reviews: Mapped[list[Review]] = relationship(back_populates="product")

    tag_names: AssociationProxy[list[str]] = association_proxy("tags", "name")

    @hybrid_property
    def stock_on_hand(self) -> int:
        """How many pieces are on the shelf."""
        return sum(movement.quantity for movement in self.movements)  # planted: DBG101 Product.movements
