"""Dashboards that load everything with one query."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.models import Customer, Gallery, Item, Order, Product


def customers(session: Session) -> list[str]:
    statement = select(Customer).options(joinedload(Customer.orders), joinedload(Customer.addresses))
    found = session.scalars(statement).unique().all()  # expect: DBG109 Customer.orders @test_two_collections
    return [f"{customer.name} {len(customer.orders)} {len(customer.addresses)}" for customer in found]


def orders(session: Session) -> list[str]:
    everything = joinedload(Customer.orders)
    statement = select(Customer).options(everything.joinedload(Order.items), everything.joinedload(Order.shipments))
    found = session.scalars(statement).unique().all()  # expect: DBG109 Order.items @test_two_below_one
    return [f"{len(order.items)} {len(order.shipments)}" for customer in found for order in customer.orders]


def first_customers(session: Session) -> list[str]:
    statement = select(Customer).options(joinedload(Customer.orders)).order_by(Customer.id).limit(3)
    found = session.scalars(statement).unique().all()  # expect: DBG109 Customer.orders @test_collection_with_limit
    return [f"{customer.name} {len(customer.orders)}" for customer in found]


def newest_galleries(session: Session) -> list[str]:
    newest = select(Gallery).order_by(Gallery.id.desc()).limit(2)
    found = session.scalars(newest).unique().all()  # expect: DBG109 Gallery.photos @test_mapped_with_limit
    return [photo.name for gallery in found for photo in gallery.photos]


# --- as it should be ---


def customers_apart(session: Session) -> list[str]:
    statement = select(Customer).options(joinedload(Customer.orders), selectinload(Customer.addresses))
    found = session.scalars(statement).unique()
    return [f"{customer.name} {len(customer.orders)} {len(customer.addresses)}" for customer in found]


def chain(session: Session) -> int:
    statement = select(Customer).options(joinedload(Customer.orders).joinedload(Order.items))
    found = session.scalars(statement).unique()
    return sum(len(order.items) for customer in found for order in customer.orders)


def parents(session: Session) -> list[str]:
    statement = select(Item).options(joinedload(Item.product).joinedload(Product.category), joinedload(Item.order))
    return [f"{item.product.category.name} {item.order.number}" for item in session.scalars(statement)]


def first_customers_apart(session: Session) -> list[str]:
    statement = select(Customer).options(selectinload(Customer.orders)).order_by(Customer.id).limit(3)
    return [f"{customer.name} {len(customer.orders)}" for customer in session.scalars(statement)]


def first_orders(session: Session) -> list[str]:
    statement = select(Order).options(joinedload(Order.customer)).order_by(Order.id).limit(3)
    return [f"{order.number} {order.customer.name}" for order in session.scalars(statement)]


def one_order(session: Session, order_id: int) -> int:
    order = session.get(Order, order_id, options=[joinedload(Order.items)])
    return len(order.items)


def galleries(session: Session) -> list[str]:
    return [photo.name for gallery in session.scalars(select(Gallery)).unique() for photo in gallery.photos]


def one_to_one_and_collection(session: Session) -> list[str]:
    statement = select(Customer).options(joinedload(Customer.profile), joinedload(Customer.addresses))
    found = session.scalars(statement.where(Customer.name != "lonely")).unique()
    return [f"{customer.profile.nickname} {len(customer.addresses)}" for customer in found]
