"""Reports for the people who run the shop."""

from __future__ import annotations

from sqlalchemy.orm import Session

from shop.models import Category, Order
from shop.repositories import customers, orders, products


def revenue_cents(session: Session) -> int:
    """Return what all orders together come to."""
    total = 0
    for order in orders.all_orders(session):
        total += sum(line.amount_cents for line in order.lines)  # planted: DBG101 Order.lines
    return total


def revenue_by_product(session: Session) -> dict[str, int]:
    """Return what each product has brought in."""
    totals: dict[str, int] = {}
    for order in orders.with_lines(session):
        for line in order.lines:  # innocent: loaded with the orders
            totals[line.product.sku] = totals.get(line.product.sku, 0) + line.amount_cents
    return totals


def customer_totals(session: Session) -> dict[str, int]:
    """Return what each customer has spent."""
    totals = {}
    for customer in customers.all_customers(session):
        totals[customer.name] = sum(_amount(order) for order in customer.orders)  # planted: DBG101 Customer.orders
    return totals


def _amount(order: Order) -> int:
    return sum(line.amount_cents for line in order.lines)  # planted: DBG101 Order.lines


def loyal_customers(session: Session, at_least: int) -> list[str]:
    """Return the names of customers with that many orders."""
    return [
        customer.name
        for customer in customers.all_customers(session)
        if orders.count_of_customer(session, customer.id) >= at_least
    ]


def stock_list(session: Session) -> dict[str, int]:
    """Return how many pieces of each product are on the shelf."""
    return {product.sku: product.stock_on_hand for product in products.all_products(session)}


def tag_list(session: Session) -> dict[str, list[str]]:
    """Return the tags of each product."""
    return {
        product.sku: list(product.tag_names)  # planted: DBG101 Product.tags
        for product in products.all_products(session)
    }


def category_names(session: Session) -> list[str]:
    """Return all categories, parents before their children."""
    return _names(products.root_category(session))


def _names(category: Category) -> list[str]:
    names = [category.name]
    for child in category.children:  # planted: DBG101 Category.children
        names += _names(child)
    return names


def order_pages(session: Session, size: int) -> list[list[str]]:
    """Return the references of all orders, page by page."""
    return [[order.reference for order in page] for page in orders.pages(session, size)]


def compare(session: Session, one: str, other: str) -> str:
    """Return whose of two orders was placed first."""
    first = orders.by_reference(session, one)
    second = orders.by_reference(session, other)
    # innocent: two single objects, looked up one by one
    earlier = first if first.placed_on <= second.placed_on else second
    return earlier.customer.name
