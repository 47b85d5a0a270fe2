"""The way from a cart to an order."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from shop.models import Customer, Order, OrderLine, Product

ATTEMPTS = 3


def price_cents(session: Session, quantities: dict[int, int]) -> int:
    """Return the price of a cart: product ids and how many of each."""
    total = 0
    for product_id, quantity in quantities.items():
        product = session.get(Product, product_id)  # planted: DBG103 products
        if product is None:
            raise LookupError(f"no product {product_id}")
        total += product.price_cents * quantity
    return total


def place_order(session: Session, customer: Customer, reference: str, quantities: dict[int, int]) -> Order:
    """Make an order of a cart; one flush for the order and all of its lines."""
    products = session.scalars(select(Product).where(Product.id.in_(quantities))).all()
    order = Order(reference=reference, customer=customer, placed_on=date(2026, 1, 1))
    for product in products:
        quantity = quantities[product.id]
        order.lines.append(OrderLine(product=product, quantity=quantity, unit_price_cents=product.price_cents))
    session.add(order)
    session.flush()  # innocent: many objects, one flush
    return order


def reserve(session: Session, sku: str, fails: int = 0) -> int:
    """Return the id of a product, trying again when the database is busy; `fails` stands for busy moments."""
    for attempt in range(ATTEMPTS):
        try:
            product_id = session.scalars(select(Product.id).where(Product.sku == sku)).one()  # innocent: a retry
            if attempt < fails:
                raise OperationalError("busy", {}, Exception())
            return product_id
        except OperationalError:
            session.rollback()
    raise TimeoutError(f"no answer after {ATTEMPTS} attempts")
