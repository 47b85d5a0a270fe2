"""Instances that outlive their session: in caches, in pickles, in other sessions."""

from __future__ import annotations

import pickle

from sqlalchemy import select
from sqlalchemy.orm import Session, make_transient, selectinload, sessionmaker
from sqlalchemy.orm.exc import DetachedInstanceError

from shop.models import Customer, Order


def load_orders(sessions: sessionmaker[Session]) -> list[Order]:
    with sessions(expire_on_commit=False) as session:
        return list(session.scalars(select(Order)))  # origin: DBG101 Order.customer @test_attached_again


def owners_later(sessions: sessionmaker[Session], orders: list[Order]) -> list[str]:
    names = []
    with sessions() as session:
        session.add_all(orders)
        for order in orders:  # loop: DBG101 Order.customer @test_attached_again
            names.append(order.customer.name)  # expect: DBG101 Order.customer @test_attached_again
    return names


def from_pickle(sessions: sessionmaker[Session]) -> list[int]:
    with sessions() as session:
        blob = pickle.dumps(session.scalars(select(Customer)).all())
    counts = []
    with sessions() as session:
        customers = pickle.loads(blob)
        session.add_all(customers)
        for customer in customers:  # loop: DBG101 Customer.orders @test_pickled_lazy
            counts.append(len(customer.orders))  # expect: DBG101 Customer.orders @test_pickled_lazy
    return counts


def thawed(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        blob = pickle.dumps(session.scalars(select(Customer).where(Customer.id == 1)).one())
    with sessions() as session:
        customer = pickle.loads(blob)
        session.add(customer)
        return len(customer.orders)


def quantities(sessions: sessionmaker[Session]) -> int:
    total = 0
    with sessions() as session:
        customers = session.scalars(select(Customer)).all()  # origin: DBG101 Customer.orders @test_after_pickle # origin: DBG101 Order.items @test_after_pickle  # noqa: E501 # fmt: skip
        for customer in customers:  # loop: DBG101 Customer.orders @test_after_pickle
            for order in customer.orders:  # expect: DBG101 Customer.orders @test_after_pickle # loop: DBG101 Order.items @test_after_pickle  # noqa: E501 # fmt: skip
                total += sum(item.quantity for item in order.items)  # expect: DBG101 Order.items @test_after_pickle
    return total


# --- as it should be ---


def cached(sessions: sessionmaker[Session]) -> dict[str, list[str]]:
    with sessions() as session:
        customers = session.scalars(select(Customer).options(selectinload(Customer.orders))).all()
        session.expunge_all()
    return {customer.name: [order.number for order in customer.orders] for customer in customers}


def cached_in_pickle(sessions: sessionmaker[Session]) -> list[int]:
    with sessions() as session:
        statement = select(Customer).options(selectinload(Customer.orders))
        blob = pickle.dumps(session.scalars(statement).all())
    return [len(customer.orders) for customer in pickle.loads(blob)]


def read_after_commit(sessions: sessionmaker[Session]) -> list[str]:
    with sessions(expire_on_commit=False) as session:
        orders = session.scalars(select(Order)).all()
        session.commit()
    return [order.number for order in orders]


def refused(orders: list[Order]) -> int:
    refusals = 0
    for order in orders:
        try:
            order.customer.name
        except DetachedInstanceError:
            refusals += 1
    return refusals


def copies(session: Session) -> list[str]:
    orders = session.scalars(select(Order).where(Order.status == "paid")).all()
    for order in orders:
        session.expunge(order)
        make_transient(order)
        order.id, order.number = None, f"copy of {order.number}"
    session.add_all(orders)
    session.flush()
    return [order.number for order in orders]
