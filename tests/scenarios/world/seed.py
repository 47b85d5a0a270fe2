"""The rows that each scenario starts with."""

from __future__ import annotations

from datetime import date, timedelta

from shop.models import Category, Customer, Item, Job, Order, Outbox, Product, Rate, Setting
from sqlalchemy.orm import Session

FIRST_DAY = date(2024, 1, 1)


def fill(session: Session) -> None:
    """Add 6 customers, 12 orders of 3 items, 12 products, a tree of 10 categories, 6 jobs, 5 settings, 8 rates."""
    root = Category(name="all")
    for name in ("books", "games", "tools"):
        Category(name=name, parent=root, children=[Category(name=f"{name} {age}") for age in ("new", "old")])
    session.add(root)
    session.flush()
    leaves = [leaf for branch in root.children for leaf in branch.children]
    products = [
        Product(sku=f"sku{n}", name=f"product {n}", price=10 + n, tags=[f"tag{n}", "all"], category=leaves[n % 6])
        for n in range(12)
    ]
    session.add_all(products)
    for n in range(6):
        tier = "gold" if n % 3 == 0 else "basic"
        customer = Customer(email=f"c{n}@shop.test", name=f"customer {n}", tier=tier)
        for half in range(2):
            number = n * 2 + half
            items = [Item(product=products[(number + step) % 12], quantity=step + 1) for step in range(3)]
            placed_on = FIRST_DAY + timedelta(days=number)
            customer.orders.append(Order(placed_on=placed_on, items=items, total=100 + number))
        session.add(customer)
    session.add_all([Job(kind="mail" if n % 2 else "invoice") for n in range(6)])
    session.add_all([Setting(key=f"key{n}", value=str(n)) for n in range(5)])
    session.add_all([Rate(currency=c, day=FIRST_DAY, value=v) for v, c in enumerate(("EUR", "USD", "GBP", "CHF"), 1)])
    session.add_all([Outbox(topic="order.placed", payload={"order": n}) for n in range(1, 6)])
    session.commit()
