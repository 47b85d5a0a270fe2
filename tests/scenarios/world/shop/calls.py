"""Functions that tests call from loops of their own, each innocent by itself."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.models import AuditLog, Customer, Order, Product


def price(session: Session, sku: str) -> int:
    stmt = select(Product.price).where(Product.sku == sku)
    return session.scalars(stmt).one()  # expect: DBG103 product @test_loop_in_the_test @test_subtests_of_one_loop


def register(session: Session, name: str) -> int:
    customer = Customer(email=f"{name}@shop.test", name=name)
    session.add(customer)
    session.flush()  # expect: DBG104 customer @test_writes_from_a_loop_of_the_test
    return customer.id


def order_names(session: Session) -> list[str]:
    stmt = select(Order).order_by(Order.id)
    orders = session.scalars(stmt).all()  # origin: DBG101 Order.customer @test_lazy_in_a_case @test_lazy_parameters
    names = []
    for order in orders:  # loop: DBG101 Order.customer @test_lazy_in_a_case @test_lazy_parameters
        name = order.customer.name  # expect: DBG101 Order.customer @test_lazy_in_a_case @test_lazy_parameters
        names.append(name)
    return names


def loaded_names(session: Session) -> list[str]:
    return [order.customer.name for order in session.scalars(select(Order).options(joinedload(Order.customer)))]


def sizes(session: Session) -> list[int]:
    return [len(order.items) for order in session.scalars(select(Order).options(selectinload(Order.items)))]


def log(session: Session, message: str) -> None:
    session.add(AuditLog(message=message))
    session.commit()


def amount(session: Session) -> int:
    return session.scalars(select(func.count()).select_from(Order)).one()
