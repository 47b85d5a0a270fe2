"""Products, their tree of categories, their tags and reviews."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.models.base import Base

product_tags = Table(
    "product_tags",
    Base.metadata,
    Column("product_id", ForeignKey("product.id"), primary_key=True),
    Column("tag_id", ForeignKey("tag.id"), primary_key=True, index=True),
)


class Category(Base):
    __tablename__ = "category"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)
    parent: Mapped[Category | None] = relationship(back_populates="children", remote_side=[id])
    children: Mapped[list[Category]] = relationship(back_populates="parent", order_by="Category.id")

    @property
    def path(self) -> str:
        """Return the names from the root down to this category."""
        if self.parent is None:  # expect: DBG101 Category.parent @test_breadcrumbs
            return self.name
        return f"{self.parent.path}/{self.name}"


class Tag(Base):
    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    products: Mapped[list[Product]] = relationship(secondary=product_tags, back_populates="tags", order_by="Product.id")


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(unique=True)
    price: Mapped[int] = mapped_column(default=100)
    description: Mapped[str] = mapped_column(Text, default="text", deferred=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)
    category: Mapped[Category | None] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=product_tags, back_populates="products", order_by="Tag.id")
    tag_names: AssociationProxy[list[str]] = association_proxy("tags", "name")
    reviews: Mapped[list[Review]] = relationship(back_populates="product", order_by="Review.id")


class Review(Base):
    __tablename__ = "review"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    stars: Mapped[int] = mapped_column(default=5)
    product: Mapped[Product] = relationship(back_populates="reviews")
