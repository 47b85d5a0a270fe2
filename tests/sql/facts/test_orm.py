"""The facts of statements that the ORM sends by itself: loaders, flushes, links of many to many."""

from __future__ import annotations

import datetime

import pytest
from sqlalchemy import create_engine, event, func, select
from sqlalchemy.orm import Session, selectin_polymorphic, selectinload, subqueryload

from pytest_dbguard.sql.explainable import explainables
from pytest_dbguard.sql.facts.statement import statement_facts
from tests.sql.facts import models
from tests.sql.facts.models import Base, Customer, Employee, Item, Manager, Order, Tag
from tests.sql.facts.rendering import lines_of

AT = datetime.datetime(2026, 1, 1)


@pytest.fixture(scope="module")
def engine():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        customer = Customer(email="a", name="b", city="c", is_active=True, created_at=AT)
        order = Order(status="new", total=5, placed_at=AT, data={}, customer=customer)
        order.items = [Item(sku="x", quantity=1), Item(sku="y", quantity=2)]
        order.tags = [Tag(name="t")]
        session.add_all([order, Manager(name="m", budget=5), Employee(name="e")])
        session.commit()
    yield engine
    engine.dispose()


@pytest.fixture
def sent(engine):
    """The texts that a test sends."""
    texts = []

    def take(connection, cursor, statement, parameters, context, executemany):
        texts.append(statement)

    event.listen(engine, "before_cursor_execute", take)
    yield texts
    event.remove(engine, "before_cursor_execute", take)


def facts_of(text):
    (one,) = explainables(text, "qmark", {}, dialect="sqlite", constants=lambda column: False)
    return lines_of(statement_facts(one.sql, dialect="sqlite", columns=models.COLUMNS))


LOADS = {
    "lazy collection": (
        lambda session: session.get(Customer, 1).orders,
        [["0 customers: id equal"], ["0 orders: customer_id equal"]],
    ),
    "lazy many to many": (
        lambda session: session.get(Order, 1).tags,
        [
            ["0 orders: id equal"],
            [
                "0 tags: id join -> order_tags.tag_id",
                "0 order_tags: order_id equal; tag_id join -> tags.id",
                "inner tags-order_tags(id=tag_id)",
            ],
        ],
    ),
    "selectinload": (
        lambda session: session.scalars(select(Customer).options(selectinload(Customer.orders))).all(),
        [["0 customers: unfiltered"], ["0 orders: customer_id list"]],
    ),
    "selectinload many to many": (
        lambda session: session.scalars(select(Order).options(selectinload(Order.tags))).all(),
        [
            ["0 orders: unfiltered"],
            ["0 tags: id join -> order_tags.tag_id", "inner order_tags-tags(tag_id=id)"],
        ],
    ),
    "subqueryload": (
        lambda session: session.scalars(
            select(Customer).where(Customer.city == "c").options(subqueryload(Customer.orders))
        ).all(),
        [
            ["0 customers: city equal"],
            [
                "1 customers: city equal; id join -> orders.customer_id",
                "0 orders: customer_id join -> customers.id",
                "inner customers-orders(id=customer_id) @1,0",
            ],
        ],
    ),
    "subqueryload with limit": (
        lambda session: session.scalars(
            select(Customer).order_by(Customer.name).limit(5).options(subqueryload(Customer.orders))
        ).all(),
        [
            ["0 customers: order name; limit; unfiltered; limit 0"],
            [
                "1 customers: order name; limit; limit 0",
                "0 orders: customer_id join -> customers.id",
                "inner customers-orders(id=customer_id) @1,0",
            ],
        ],
    ),
    "selectin_polymorphic": (
        lambda session: session.scalars(select(Employee).options(selectin_polymorphic(Employee, [Manager]))).all(),
        [
            ["0 employees: unfiltered"],
            ["0 managers: id join -> employees.id", "inner employees-managers(id=id)"],
        ],
    ),
}


@pytest.mark.parametrize("name", LOADS)
def test_loaders(engine, sent, name):
    """SQLAlchemy's versions differ in aliases, and in what they ask for besides."""
    load, expected = LOADS[name]
    with Session(engine) as session:
        load(session)
    found = [[line.replace("_1", "") for line in facts_of(text)] for text in sent]
    assert len(found) == len(expected)
    assert all(set(lines) <= set(told) for lines, told in zip(expected, found, strict=True)), found


def test_flushes(engine, sent):
    with Session(engine) as session:
        order = session.get(Order, 1)
        order.status = "sent"
        order.tags = []
        session.flush()
        session.delete(order.items[0])
        session.flush()
        session.rollback()
    found = [line for text in sent for line in facts_of(text)]
    assert "update orders(status)" in found
    assert "0 order_tags: order_id equal; tag_id equal; written" in found
    assert "0 items: id equal; written" in found


def test_counts(engine, sent):
    with Session(engine) as session:
        session.scalar(select(func.count()).select_from(select(Order).where(Order.total > 5).limit(3).subquery()))
    (text,) = sent
    assert facts_of(text) == ["1 orders: total range; limit; limit 1"]
