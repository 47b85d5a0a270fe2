"""Turns rows into JSON and HTML, by libraries that read attributes on their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import jinja2
from marshmallow import Schema, fields
from pydantic import BaseModel, ConfigDict, TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.models import Customer, Item, Order

TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


class CustomerOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str


class ItemOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    quantity: int


class OrderOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    number: str
    customer: CustomerOut
    items: list[ItemOut]


class OrderHead(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    number: str
    customer: CustomerOut


class CustomerSchema(Schema):
    name = fields.String()


class OrderSchema(Schema):
    number = fields.String()
    customer = fields.Nested(CustomerSchema)


@dataclass
class Row:
    number: str
    customer: str

    @classmethod
    def of(cls, order: Order) -> Row:
        return cls(order.number, order.customer.name)  # expect: DBG101 Order.customer @test_dataclass


def heads(session: Session) -> list[OrderHead]:
    found = []
    for order in session.scalars(select(Order)).all():  # origin: DBG101 Order.customer @test_pydantic # loop: DBG101 Order.customer @test_pydantic  # noqa: E501 # fmt: skip
        found.append(OrderHead.model_validate(order))  # expect: DBG101 Order.customer @test_pydantic
    return found


def heads_at_once(session: Session) -> list[OrderHead]:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_type_adapter
    # the loop is in the library
    return TypeAdapter(list[OrderHead]).validate_python(orders)  # expect: DBG101 Order.customer @test_type_adapter


def dumped(session: Session) -> list[dict[str, object]]:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_marshmallow
    # the loop is in the library
    return OrderSchema(many=True).dump(orders)  # expect: DBG101 Order.customer @test_marshmallow


def page(session: Session) -> str:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_template
    return TEMPLATES.get_template("orders.html").render(orders=orders)


def cards(session: Session) -> str:
    customers = session.scalars(select(Customer)).all()  # origin: DBG101 Customer.addresses @test_template_macro
    return TEMPLATES.get_template("customers.html").render(customers=customers)


def _encode(value: object) -> object:
    if isinstance(value, Order):
        return {"number": value.number, "items": len(value.items)}  # expect: DBG101 Order.items @test_json_default
    raise TypeError(value)


def to_json(session: Session) -> str:
    orders = list(session.scalars(select(Order)))  # origin: DBG101 Order.items @test_json_default
    return json.dumps(orders, default=_encode)


def rows(session: Session) -> list[Row]:
    orders = session.scalars(select(Order))  # origin: DBG101 Order.customer @test_dataclass
    return [Row.of(order) for order in orders]  # loop: DBG101 Order.customer @test_dataclass


def names(session: Session) -> list[str]:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_attrgetter
    return list(map(attrgetter("customer.name"), orders))  # expect: DBG101 Order.customer @test_attrgetter


# --- as it should be ---


def whole_orders(session: Session) -> list[OrderOut]:
    statement = select(Order).options(joinedload(Order.customer), selectinload(Order.items))
    return [OrderOut.model_validate(order) for order in session.scalars(statement)]


def one_order(session: Session, order_id: int) -> OrderOut:
    return OrderOut.model_validate(session.get(Order, order_id))


def dumped_loaded(session: Session) -> list[dict[str, object]]:
    statement = select(Order).options(joinedload(Order.customer))
    return OrderSchema(many=True).dump(session.scalars(statement).all())


def numbers_only(session: Session) -> list[dict[str, object]]:
    return OrderSchema(many=True, only=["number"]).dump(session.scalars(select(Order)).all())


def page_loaded(session: Session) -> str:
    statement = select(Order).options(joinedload(Order.customer))
    return TEMPLATES.get_template("orders.html").render(orders=session.scalars(statement).all())


def cards_loaded(session: Session) -> str:
    statement = select(Customer).options(selectinload(Customer.addresses))
    return TEMPLATES.get_template("customers.html").render(customers=session.scalars(statement))


def to_json_loaded(session: Session) -> str:
    orders = list(session.scalars(select(Order).options(selectinload(Order.items))))
    return json.dumps(orders, default=_encode)


def names_loaded(session: Session) -> list[str]:
    statement = select(Item).options(joinedload(Item.order).joinedload(Order.customer))
    return list(map(attrgetter("order.customer.name"), session.scalars(statement)))
