"""Makes the data that all tests start from."""

from __future__ import annotations

from datetime import date

from shop.models import (
    Address,
    ApiKey,
    Category,
    Customer,
    Order,
    OrderLine,
    Product,
    Review,
    StockMovement,
    Supplier,
    Tag,
    Task,
)
from sqlalchemy.orm import Session


def seed(session: Session) -> None:
    """Fill an empty shop: 4 customers, 6 products, 8 orders of 2 lines, a tree of categories, 3 tasks."""
    categories = _tree()
    suppliers = [Supplier(name=f"Supplier {i}", country="LV") for i in range(6)]
    tags = [Tag(name=name) for name in ("blue", "new", "sale")]
    session.add_all([*categories, *suppliers])
    session.flush()
    products = [
        Product(
            sku=f"P{i}",
            name=f"Product {i}",
            price_cents=100 * (i + 1),
            category_id=categories[i % 3].id,
            supplier_id=suppliers[i].id,
            tags=tags[: i % 3 + 1],
            movements=[StockMovement(quantity=10, reason="start"), StockMovement(quantity=-i, reason="sold")],
        )
        for i in range(6)
    ]
    session.add_all(products)
    for number in range(4):
        session.add(_customer(number, products))
        session.flush()  # innocent: seeding is the tests' own business
    session.add_all([Task(kind="mail", payload=str(i)) for i in range(3)])


def _tree() -> list[Category]:
    root = Category(name="All")
    for name in ("Books", "Games"):
        branch = Category(name=name, parent=root)
        for part in ("New", "Used"):
            Category(name=f"{part} {name}", parent=branch)
    return [root, *root.children]


def _customer(number: int, products: list[Product]) -> Customer:
    customer = Customer(name=f"Customer {number}", email=f"c{number}@shop.example")
    customer.addresses = [Address(street="Long Street 1", city="Riga")]
    for half in range(2):
        lines = [
            OrderLine(product=product, quantity=1, unit_price_cents=product.price_cents)
            for product in (products[number], products[number + 1])
        ]
        order = Order(reference=f"R{number}{half}", placed_on=date(2026, 1, 1 + number), lines=lines)
        customer.orders.append(order)
    return customer


def add_reviews(session: Session) -> None:
    """Let each customer review the first product."""
    for customer in session.query(Customer).all():
        session.add(Review(product_id=1, customer_id=customer.id, stars=5, text="good"))
    session.commit()


def add_keys(session: Session) -> None:
    """Give each customer a key."""
    for customer in session.query(Customer).all():
        session.add(ApiKey(customer_id=customer.id, key=f"key-{customer.id}"))
    session.commit()
