"""Python's ways to go over rows without a for statement."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import logging
from collections.abc import Callable, Iterator
from operator import attrgetter

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.models import Badge, Customer, Item, Order

log = logging.getLogger(__name__)


def sorted_by_owner(session: Session) -> list[str]:
    orders = list(session.scalars(select(Order)))  # origin: DBG101 Order.customer @test_less_than
    orders.sort()
    return [order.number for order in orders]


def grouped(session: Session) -> dict[str, int]:
    ordered = select(Order).order_by(Order.customer_id)
    orders = session.scalars(ordered).all()  # origin: DBG101 Order.customer @test_groupby
    groups = itertools.groupby(orders, key=lambda order: order.customer.name)  # expect: DBG101 Order.customer @test_groupby  # noqa: E501 # fmt: skip
    return {name: len(list(group)) for name, group in groups}


def lightest(session: Session) -> str:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.items @test_min_key
    return min(orders, key=lambda order: (order.weight, order.number)).number


def heaviest(session: Session) -> str:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.items @test_attrgetter_property
    return max(orders, key=attrgetter("weight")).number


def folded(session: Session) -> int:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.items @test_reduce
    return functools.reduce(_add, orders, 0)


def _add(total: int, order: Order) -> int:
    return total + len(order.items)  # expect: DBG101 Order.items @test_reduce


def table(session: Session) -> str:
    out = io.StringIO()
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_writerows
    csv.writer(out).writerows(_cells(order) for order in orders)  # loop: DBG101 Order.customer @test_writerows
    return out.getvalue()


def _cells(order: Order) -> tuple[str, str]:
    return order.number, order.customer.name  # expect: DBG101 Order.customer @test_writerows


def chained(session: Session) -> list[str]:
    names = []
    new = session.scalars(select(Order).where(Order.status == "new")).all()  # origin: DBG101 Order.customer @test_chain_of_two  # noqa: E501 # fmt: skip
    other = session.scalars(select(Order).where(Order.status == "gone")).all()
    for order in itertools.chain(new, other):  # loop: DBG101 Order.customer @test_chain_of_two
        names.append(order.customer.name)  # expect: DBG101 Order.customer @test_chain_of_two
    return names


def badges(session: Session) -> list[str]:
    texts = []
    for badge in session.scalars(select(Badge)).all():  # origin: DBG101 Badge.employee @test_generated_repr # loop: DBG101 Badge.employee @test_generated_repr  # noqa: E501 # fmt: skip
        texts.append(repr(badge))  # expect: DBG101 Badge.employee @test_generated_repr
    return texts


def everything(session: Session) -> list[dict[str, object]]:
    rows = []
    names = [relationship.key for relationship in inspect(Item).relationships]
    for item in session.scalars(select(Item)).all():  # origin: DBG101 Item.order @test_all_relationships # origin: DBG101 Item.product @test_all_relationships # loop: DBG101 Item.order @test_all_relationships # loop: DBG101 Item.product @test_all_relationships  # noqa: E501 # fmt: skip
        row = {}
        for name in names:
            row[name] = getattr(item, name)  # expect: DBG101 Item.order @test_all_relationships # expect: DBG101 Item.product @test_all_relationships  # noqa: E501 # fmt: skip
        rows.append(row)
    return rows


def with_callback(session: Session, show: Callable[[Order], str]) -> list[str]:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_closure
    return [show(order) for order in orders]  # loop: DBG101 Order.customer @test_closure


def labels(session: Session) -> list[str]:
    seen = []

    def show(order: Order) -> str:
        seen.append(order.customer.name)  # expect: DBG101 Order.customer @test_closure
        return order.number

    with_callback(session, show)
    return seen


@functools.singledispatch
def render(thing: object) -> str:
    return str(thing)


@render.register
def _(thing: Order) -> str:
    return f"{thing.number}: {thing.customer.name}"  # expect: DBG101 Order.customer @test_single_dispatch


def rendered(session: Session) -> list[str]:
    lines = []
    for order in session.scalars(select(Order)).all():  # origin: DBG101 Order.customer @test_single_dispatch # loop: DBG101 Order.customer @test_single_dispatch  # noqa: E501 # fmt: skip
        lines.append(render(order))
    return lines


def first_of_each(session: Session) -> list[int]:
    quantities = []
    customers = session.scalars(select(Customer)).all()  # origin: DBG101 Customer.orders @test_inner_break # origin: DBG101 Order.items @test_inner_break  # noqa: E501 # fmt: skip
    for customer in customers:  # loop: DBG101 Customer.orders @test_inner_break # loop: DBG101 Order.items @test_inner_break  # noqa: E501 # fmt: skip
        for order in customer.orders:  # expect: DBG101 Customer.orders @test_inner_break
            quantities.append(len(order.items))  # expect: DBG101 Order.items @test_inner_break
            break
    return quantities


# --- as it should be ---


def own_columns(session: Session) -> list[dict[str, object]]:
    names = [column.key for column in inspect(Order).column_attrs]
    return [{name: getattr(order, name) for name in names} for order in session.scalars(select(Order))]


def logged(session: Session) -> list[str]:
    codes = []
    for badge in session.scalars(select(Badge)):
        # the level is off, so nobody calls the generated repr
        log.debug("looking at %r", badge)
        codes.append(badge.code)
    return codes


def what_is_there(session: Session) -> list[list[str]]:
    return [sorted(vars(order)) for order in session.scalars(select(Order))]


def grouped_loaded(session: Session) -> dict[str, int]:
    statement = select(Order).options(joinedload(Order.customer)).order_by(Order.customer_id)
    groups = itertools.groupby(session.scalars(statement), key=lambda order: order.customer.name)
    return {name: len(list(group)) for name, group in groups}


def heaviest_loaded(session: Session) -> str:
    orders = session.scalars(select(Order).options(selectinload(Order.items))).all()
    return max(orders, key=attrgetter("weight")).number


def three_sizes(session: Session) -> list[int]:
    first = session.get(Order, 1)
    second = session.get(Order, 2)
    third = session.get(Order, 3)
    return [len(first.items), second.weight, sum(1 for _ in third.items)]


def lazily(session: Session) -> Iterator[str]:
    statement = select(Order).options(joinedload(Order.customer))
    yield from (order.customer.name for order in session.scalars(statement))


def unloaded(session: Session) -> int:
    return sum("items" in inspect(order).unloaded for order in session.scalars(select(Order)))
