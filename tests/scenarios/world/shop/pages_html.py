"""Pages made by Jinja2."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import jinja2
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from shop.models import Customer, Item, Order

environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


def order_list(session: Session) -> str:
    stmt = select(Order).order_by(Order.id)
    orders = session.scalars(stmt).all()  # origin: DBG101 Order.customer @test_template_lazy
    return environment.get_template("orders.html").render(orders=orders)


def order_list_joined(session: Session) -> str:
    stmt = select(Order).options(joinedload(Order.customer)).order_by(Order.id)
    return environment.get_template("orders.html").render(orders=session.scalars(stmt).all())


def invoice(session: Session, pk: int) -> str:
    order = session.get(Order, pk)
    assert order is not None
    stmt = select(Item).where(Item.order_id == pk)
    items = session.scalars(stmt).all()  # origin: DBG101 Item.product @test_template_macro_lazy
    return environment.get_template("invoice.html").render(order={"items": items})


def customer_page(session: Session, pk: int) -> str:
    """A page of one customer: its orders are one lazy load."""
    customer = session.scalars(select(Customer).where(Customer.id == pk)).one()
    template = environment.from_string("{{ c.name }}{% for o in c.orders %} {{ o.total }}{% endfor %}")
    return template.render(c=customer)


def total_of(session: Session, pk: int) -> int:
    stmt = select(Order.total).where(Order.id == pk)
    return session.scalars(stmt).one()  # expect: DBG103 orders @test_template_calls_a_function


def totals_page(session: Session, ids: list[int]) -> str:
    """Hand a function that asks to a template that loops."""
    template = environment.from_string("{% for pk in ids %}{{ total(pk) }} {% endfor %}")
    total = partial(total_of, session)
    return template.render(ids=ids, total=total)  # loop: DBG103 orders @test_template_calls_a_function
