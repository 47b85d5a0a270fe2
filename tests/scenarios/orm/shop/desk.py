"""What the desk does with a session that others hand to it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.models import Customer, Order, Product


def open_orders(session: Session) -> list[str]:
    lines = []
    orders = session.scalars(select(Order).where(Order.status == "new")).all()  # origin: DBG101 Order.customer @test_factory_committed @test_factory_expunged @test_fixture_closed  # noqa: E501 # fmt: skip
    for order in orders:  # loop: DBG101 Order.customer @test_factory_committed @test_factory_expunged @test_fixture_closed  # noqa: E501 # fmt: skip
        lines.append(f"{order.number} {order.customer.name}")  # expect: DBG101 Order.customer @test_factory_committed @test_factory_expunged @test_fixture_closed  # noqa: E501 # fmt: skip
    return lines


def describe(orders: list[Order]) -> list[str]:
    lines = []
    for order in orders:  # loop: DBG102 Order @test_factory_expired # loop: DBG101 Order.customer @test_factory_expired
        number = order.number  # expect: DBG102 Order @test_factory_expired
        lines.append(f"{number} {order.customer.name}")  # expect: DBG101 Order.customer @test_factory_expired
    return lines


def place_orders(session: Session, customer_ids: list[int]) -> list[str]:
    orders = [Order(number=f"new-{customer_id}", customer_id=customer_id) for customer_id in customer_ids]
    session.add_all(orders)
    session.flush()
    lines = []
    for order in orders:  # loop: DBG101 Order.customer @test_built_and_flushed
        lines.append(order.customer.name)  # expect: DBG101 Order.customer @test_built_and_flushed
    return lines


def register(session: Session, names: list[str]) -> list[int]:
    customers = [Customer(name=name, email=f"{name}@example.org") for name in names]
    session.add_all(customers)
    session.commit()
    ids = []
    for customer in customers:  # loop: DBG102 Customer @test_built_and_committed
        ids.append(customer.id)  # expect: DBG102 Customer @test_built_and_committed
    return ids


def register_and_flush(session: Session, names: list[str]) -> list[int]:
    customers = [Customer(name=name, email=f"{name}@example.org") for name in names]
    session.add_all(customers)
    session.flush()
    return [customer.id for customer in customers]


def welcome(session: Session, name: str) -> int:
    customer = Customer(name=name, email=f"{name}@example.org")
    session.add(customer)
    session.flush()
    # a load that no query stands behind; SQLAlchemy caches its statement without any option
    orders = len(customer.orders)
    session.commit()
    return orders


def quantities(session: Session) -> int:
    total = 0
    customers = session.scalars(select(Customer))  # origin: DBG101 Customer.orders @test_cached_without_origin # origin: DBG101 Order.items @test_cached_without_origin  # noqa: E501 # fmt: skip
    for customer in customers.all():  # loop: DBG101 Customer.orders @test_cached_without_origin
        for order in customer.orders:  # expect: DBG101 Customer.orders @test_cached_without_origin # loop: DBG101 Order.items @test_cached_without_origin  # noqa: E501 # fmt: skip
            total += sum(item.quantity for item in order.items)  # expect: DBG101 Order.items @test_cached_without_origin  # noqa: E501 # fmt: skip
    return total


class Directory:
    """Keeps the customers it has seen alive, by their keys."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known = {customer.id: customer for customer in session.scalars(select(Customer))}

    def owners(self) -> list[str]:
        orders = self._session.scalars(select(Order)).all()
        return [f"{len(self._known)} {order.customer.name}" for order in orders]


def tag_products(session: Session) -> list[list[str]]:
    return [list(product.tag_names) for product in session.scalars(select(Product))]
