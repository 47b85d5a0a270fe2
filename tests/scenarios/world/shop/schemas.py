"""Serialisers of pydantic and marshmallow."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from pydantic import BaseModel, ConfigDict, computed_field
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, object_session, selectinload

from shop.models import Customer, Item, Order


class Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CustomerOut(Read):
    id: int
    name: str


class ItemOut(Read):
    id: int
    quantity: int


class OrderOut(Read):
    id: int
    customer: CustomerOut
    items: list[ItemOut]


class OrderLine(Read):
    id: int
    customer: CustomerOut


class OrderSummary(Read):
    """Counts the items by a statement of its own, for each order."""

    id: int

    @computed_field
    def url(self) -> str:
        return f"/orders/{self.id}"


class OrderSchema(Schema):
    id = fields.Integer()
    customer = fields.Pluck("CustomerSchema", "name")


class CustomerSchema(Schema):
    name = fields.String()


class CountedSchema(Schema):
    id = fields.Integer()
    items = fields.Method("count_items")

    def count_items(self, order: Order) -> int:
        session = object_session(order)
        assert session is not None
        stmt = select(Item.id).where(Item.order_id == order.id)
        ids = session.scalars(stmt)  # expect: DBG103 item @test_marshmallow_method
        return len(set(ids))


def orders_lazy(session: Session) -> list[dict[str, Any]]:
    stmt = select(Order).order_by(Order.id)
    orders = session.scalars(stmt).all()  # origin: DBG101 Order.customer @test_pydantic_lazy
    out = []
    for order in orders:  # loop: DBG101 Order.customer @test_pydantic_lazy
        line = OrderLine.model_validate(order)  # expect: DBG101 Order.customer @test_pydantic_lazy
        out.append(line.model_dump())
    return out


def orders_loaded(session: Session) -> list[dict[str, Any]]:
    stmt = select(Order).options(joinedload(Order.customer), selectinload(Order.items)).order_by(Order.id)
    return [OrderOut.model_validate(order).model_dump() for order in session.scalars(stmt)]


def one_order(session: Session, pk: int) -> dict[str, Any]:
    """One order: its customer and its items are one load each."""
    return OrderOut.model_validate(session.get(Order, pk)).model_dump()


def summaries(session: Session) -> list[dict[str, Any]]:
    return [OrderSummary.model_validate(order).model_dump() for order in session.scalars(select(Order))]


def dumped_lazy(session: Session) -> list[dict[str, Any]]:
    stmt = select(Order).order_by(Order.id)
    orders = session.scalars(stmt).all()  # origin: DBG101 Order.customer @test_marshmallow_lazy
    return OrderSchema(many=True).dump(orders)  # expect: DBG101 Order.customer @test_marshmallow_lazy


def dumped_joined(session: Session) -> list[dict[str, Any]]:
    stmt = select(Order).options(joinedload(Order.customer))
    return OrderSchema(many=True).dump(session.scalars(stmt).all())


def dumped_counts(session: Session) -> list[dict[str, Any]]:
    orders = session.scalars(select(Order)).all()
    return CountedSchema(many=True).dump(orders)  # loop: DBG103 item @test_marshmallow_method


def customers_by_hand(session: Session) -> list[dict[str, Any]]:
    customers = session.scalars(select(Customer).options(selectinload(Customer.orders))).all()
    return [{"name": c.name, "orders": [o.id for o in c.orders]} for c in customers]
