"""Eager loads: unused, too many at once, and defects that few rows hide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from shop.models import Category, Customer, Item, Order, Product


def order_ids(session: Session) -> list[int]:
    stmt = select(Order).options(selectinload(Order.items))
    orders = session.scalars(stmt).all()  # expect: DBG107 Order.items @test_unused_selectin
    return [order.id for order in orders]


def totals(session: Session) -> int:
    stmt = select(Order).options(joinedload(Order.customer))
    orders = session.scalars(stmt).all()  # expect: DBG107 Order.customer @test_unused_joined
    return sum(order.total for order in orders)


def base_query() -> Any:
    """A query that all callers share, with all that any of them might need."""
    return select(Order).options(joinedload(Order.customer), selectinload(Order.items)).order_by(Order.id)


def names_only(session: Session) -> list[str]:
    orders = session.scalars(base_query()).all()  # expect: DBG107 Order.items @test_shared_base_query
    return [order.customer.name for order in orders]


def all_of_it(session: Session) -> list[tuple[str, int]]:
    orders = session.scalars(base_query()).all()
    return [(order.customer.name, len(order.items)) for order in orders]


def one_branch(session: Session, limit: int) -> list[int]:
    """Use the collection for some of the rows only."""
    orders = session.scalars(select(Order).options(selectinload(Order.items))).all()
    return [len(order.items) for order in orders if order.total >= limit]


def filtered(session: Session) -> list[str]:
    """Join to filter and load what was joined."""
    stmt = select(Order).join(Order.customer).options(contains_eager(Order.customer)).where(Customer.tier == "gold")
    return [order.customer.name for order in session.scalars(stmt)]


def full_customers(session: Session) -> int:
    stmt = select(Customer).options(joinedload(Customer.orders).joinedload(Order.items))
    customers = session.scalars(stmt).unique().all()
    return sum(len(order.items) for customer in customers for order in customer.orders)


def siblings(session: Session) -> int:
    """Join two collections of one parent: their rows multiply."""
    stmt = select(Category).where(Category.id == 1).options(joinedload(Category.children))
    root = session.scalars(stmt).unique().one()
    return len(root.children)


def page_with_items(session: Session, size: int) -> list[int]:
    stmt = select(Order).options(joinedload(Order.items)).order_by(Order.id).limit(size)
    orders = session.scalars(stmt).unique().all()  # expect: DBG109 Order.items @test_joined_collection_and_limit
    return [len(order.items) for order in orders]


def page_with_customer(session: Session, size: int) -> list[str]:
    """A joined to-one does not multiply."""
    stmt = select(Order).options(joinedload(Order.customer)).order_by(Order.id).limit(size)
    return [order.customer.name for order in session.scalars(stmt)]


def page_with_selectin(session: Session, size: int) -> list[int]:
    stmt = select(Order).options(selectinload(Order.items)).order_by(Order.id).limit(size)
    return [len(order.items) for order in session.scalars(stmt)]


def customer_report(session: Session, tier: str, since: int) -> list[str]:
    """The filter leaves the orders of one customer, as it happens."""
    stmt = select(Order).join(Order.customer).where(Customer.tier == tier, Order.total >= since)
    orders = session.scalars(stmt).all()  # origin: DBG108 Order.customer @test_masked_by_one_customer
    lines = []
    for order in orders:
        name = order.customer.name  # expect: DBG108 Order.customer @test_masked_by_one_customer
        lines.append(f"{name} {order.total}")
    return lines


def report_of_one(session: Session, pk: int) -> list[str]:
    """All orders are one customer's, by the filter itself."""
    customer = session.get_one(Customer, pk)
    return [f"{customer.name} {order.total}" for order in customer.orders]


def latent(session: Session, since: int) -> list[int]:
    stmt = select(Order).where(Order.total >= since)
    orders = session.scalars(stmt).all()  # origin: DBG106 Order.items @test_latent
    sizes = []
    for order in orders:  # loop: DBG106 Order.items @test_latent
        sizes.append(len(order.items))  # expect: DBG106 Order.items @test_latent
    return sizes


def single(session: Session, since: int) -> int:
    """The one newest order: nothing to repeat."""
    stmt = select(Order).where(Order.total >= since).order_by(Order.id.desc()).limit(1)
    order = session.scalars(stmt).one()
    return len(order.items)


def by_mail(session: Session, mail: str) -> int:
    customer = session.scalars(select(Customer).where(Customer.email == mail)).one()
    return len(customer.orders)


def priced_items(session: Session) -> int:
    stmt = select(Item).options(joinedload(Item.product).joinedload(Product.category))
    items = session.scalars(stmt).all()  # expect: DBG107 Product.category @test_unused_second_level
    return sum(item.quantity * item.product.price for item in items)


def render(orders: Sequence[Order], columns: dict[str, Callable[[Order], str]]) -> list[str]:
    return [" ".join(column(order) for column in columns.values()) for order in orders]


COLUMNS: dict[str, Callable[[Order], str]] = {
    "id": lambda order: str(order.id),
    "customer": lambda order: order.customer.name,
}


def table(session: Session) -> list[str]:
    """Read the eager load through a table of functions."""
    return render(session.scalars(select(Order).options(joinedload(Order.customer))).all(), COLUMNS)


def pick(session: Session) -> list[str]:
    """Read the eager load by getattr."""
    orders = session.scalars(select(Order).options(joinedload(Order.customer))).all()
    return [getattr(getattr(order, "customer"), "name") for order in orders]  # noqa: B009
