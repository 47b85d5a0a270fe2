"""Products and categories, by what the shop asks of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.models import Category, Product


def all_products(session: Session) -> Sequence[Product]:
    """Return all products by stock keeping unit."""
    return session.scalars(select(Product).order_by(Product.sku)).all()


def for_export(session: Session, batch: int) -> Iterator[Product]:
    """Yield products with their tags and suppliers, a batch at a time."""
    stmt = (
        select(Product)
        .options(selectinload(Product.tags), joinedload(Product.supplier, innerjoin=True))
        .order_by(Product.id)
        .execution_options(yield_per=batch)
    )
    yield from session.scalars(stmt)  # innocent: selectinload asks once for each batch


def page(session: Session, number: int, size: int) -> Sequence[Product]:
    """Return one page of products."""
    stmt = select(Product).order_by(Product.id).limit(size).offset(number * size)
    return session.scalars(stmt).all()  # innocent: pages by offset


def root_category(session: Session) -> Category:
    """Return the root of the category tree."""
    return session.scalars(select(Category).where(Category.parent_id.is_(None))).one()
