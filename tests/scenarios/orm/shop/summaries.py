"""Summaries of orders by way of the models' properties and methods."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.models import Author, Customer, Item, Order


def counts(session: Session) -> list[int]:
    found = []
    customers = session.scalars(select(Customer)).all()  # origin: DBG101 Customer.orders @test_hybrid_per_row
    for customer in customers:  # loop: DBG101 Customer.orders @test_hybrid_per_row
        found.append(customer.order_count)
    return found


def owners(session: Session) -> list[str]:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_property_per_row
    return [order.customer_name for order in orders]  # loop: DBG101 Order.customer @test_property_per_row


def mails(session: Session) -> list[str]:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_str_per_row
    return [f"Dear: {order}" for order in orders]  # loop: DBG101 Order.customer @test_str_per_row


def sizes(session: Session) -> dict[str, int]:
    found = {}
    for order in session.scalars(select(Order)).all():  # loop: DBG103 item @test_query_property
        found[order.number] = order.size
    return found


def streets(session: Session) -> set[str]:
    found = set()
    customers = session.scalars(select(Customer)).all()  # origin: DBG101 Customer.addresses @test_cached_rows
    for customer in customers:  # loop: DBG101 Customer.addresses @test_cached_rows
        found.update(customer.streets)
    return found


def payload(session: Session) -> list[dict[str, object]]:
    orders = session.scalars(select(Order))  # origin: DBG101 Order.items @test_to_dict # origin: DBG101 Item.product @test_to_dict  # noqa: E501 # fmt: skip
    rows = []
    for order in orders.all():  # loop: DBG101 Order.items @test_to_dict
        rows.append(order.to_dict())
    return rows


def by_attribute_name(session: Session, *names: str) -> list[object]:
    values = []
    for customer in session.scalars(select(Customer)).all():  # origin: DBG101 Customer.region @test_getattr # loop: DBG101 Customer.region @test_getattr  # noqa: E501 # fmt: skip
        values.append([getattr(customer, name) for name in names])  # expect: DBG101 Customer.region @test_getattr
    return values


# --- as it should be ---


def counts_by_database(session: Session) -> dict[str, int]:
    return {name: count for name, count in session.execute(select(Customer.name, Customer.order_count)) if count}


def books_written(session: Session) -> dict[str, int]:
    return {author.name: author.book_count for author in session.scalars(select(Author))}


def owners_loaded(session: Session) -> list[str]:
    statement = select(Order).options(joinedload(Order.customer, innerjoin=True))
    return [order.customer_name for order in session.scalars(statement)]


def payload_loaded(session: Session) -> list[dict[str, object]]:
    statement = select(Order).options(selectinload(Order.items).joinedload(Item.product))
    return [order.to_dict() for order in session.scalars(statement)]


def streets_of(session: Session, customer_id: int) -> list[tuple[str, ...]]:
    customer = session.get(Customer, customer_id)
    return [customer.streets for _ in range(3)]


def sizes_of_two(session: Session) -> tuple[int, int]:
    first = session.get(Order, 1)
    last = session.get(Order, 12)
    return first.size, last.size


def own_columns(session: Session) -> list[object]:
    return [getattr(customer, name) for customer in session.scalars(select(Customer)) for name in ("name", "email")]
