"""Repositories, one for each aggregate, as layered applications have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.models import Base, Customer, Order, Product

T = TypeVar("T", bound=Base)


class Repository(Generic[T]):
    """What all repositories can."""

    model: type[T]

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, pk: Any) -> T | None:
        return self.session.get(self.model, pk)  # expect: DBG103 product @test_generic_get_through_three_layers

    def find(self, *criteria: Any) -> Sequence[T]:
        return self.session.scalars(select(self.model).where(*criteria)).all()

    def count(self, *criteria: Any) -> int:
        stmt = select(func.count()).select_from(self.model).where(*criteria)
        return self.session.scalar(stmt) or 0  # expect: DBG103 orders @test_count_for_each

    def exists(self, *criteria: Any) -> bool:
        stmt = select(exists().where(*criteria))
        return bool(self.session.scalar(stmt))  # expect: DBG103 orders @test_exists_for_each

    def add(self, thing: T) -> T:
        self.session.add(thing)
        self.session.flush()  # expect: DBG104 audit_log @test_repository_add_in_a_loop
        return thing

    def iterate(self) -> Iterator[T]:
        yield from self.session.scalars(select(self.model).order_by(self.model.id))  # type: ignore[attr-defined]


class Customers(Repository[Customer]):
    model = Customer

    def by_tier(self, tier: str) -> Sequence[Customer]:
        return self.find(Customer.tier == tier)

    def with_orders(self) -> Sequence[Customer]:
        return self.session.scalars(select(Customer).options(selectinload(Customer.orders))).all()

    def all(self) -> Sequence[Customer]:
        stmt = select(Customer).order_by(Customer.id)
        return self.session.scalars(stmt).all()  # origin: DBG101 Customer.orders @test_unit_of_work_lazy


class Products(Repository[Product]):
    model = Product

    def many(self, ids: list[int]) -> dict[int, Product]:
        return {product.id: product for product in self.find(Product.id.in_(ids))}


class Orders(Repository[Order]):
    model = Order

    def open(self) -> Sequence[Order]:
        stmt = select(Order).where(Order.state == "open").order_by(Order.id)
        return self.session.scalars(stmt).all()  # origin: DBG101 Order.items @test_service_lazy_two_layers

    def page(self, stmt: Select[tuple[Order]], number: int, size: int) -> Sequence[Order]:
        return self.session.scalars(stmt.order_by(Order.id).limit(size).offset(number * size)).all()

    def with_customer(self) -> Sequence[Order]:
        return self.session.scalars(select(Order).options(joinedload(Order.customer))).all()
