"""A small application in files of its own, whose statements run five frames below a test function."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

MODELS = """
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.pool import StaticPool

CUSTOMERS, ORDERS_EACH = 100, 10

class Base(DeclarativeBase):
    pass

class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["Order"]] = relationship()

class Order(Base):
    __tablename__ = "order_"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    number: Mapped[str]
    total: Mapped[int]

class Event(Base):
    __tablename__ = "event"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

def make_engine():
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    customers = range(1, CUSTOMERS + 1)
    with engine.begin() as connection:
        connection.execute(Customer.__table__.insert(), [{"id": c, "name": f"customer {c}"} for c in customers])
        connection.execute(Order.__table__.insert(), [
            {"customer_id": c, "number": f"{c}-{n}", "total": n} for c in customers for n in range(ORDERS_EACH)])
    return engine
"""
QUERIES = """
from sqlalchemy import insert, select
from shop.models import Customer, Event, Order

CUSTOMER = Customer.__table__
EVENT = Event.__table__

def core_select(connection, key):
    return connection.execute(select(CUSTOMER).where(CUSTOMER.c.id == key)).one()

def core_insert(connection, key):
    connection.execute(insert(EVENT), {"name": f"event {key}"})

def orm_select(session, key):
    return session.scalars(select(Order).where(Order.customer_id == key)).all()

def lazy_load(customer, key):
    return customer.orders

def customers(session):
    return session.scalars(select(Customer)).all()
"""
# Four files between the test and the query, one frame each.
LAYER = """
from shop import {below}

def {name}(function, target, key):
    return {below}.{below}(function, target, key)
"""
BOTTOM = """
def repository(function, target, key):
    return function(target, key)
"""
TEST = """
from shop import views

def test_many(function, targets):
    for key, target in targets:
        views.views(function, target, key)
"""


def make_application(directory: Path) -> tuple[Any, Any, Any]:
    """Write the application and its test below `directory`, import it; return the test, queries and models."""
    files = {
        "shop/__init__.py": "",
        "shop/models.py": MODELS,
        "shop/queries.py": QUERIES,
        "shop/views.py": LAYER.format(name="views", below="service"),
        "shop/service.py": LAYER.format(name="service", below="usecase"),
        "shop/usecase.py": LAYER.format(name="usecase", below="repository"),
        "shop/repository.py": BOTTOM,
        "test_shop.py": TEST,
    }
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    sys.path.insert(0, str(directory))
    return tuple(importlib.import_module(name) for name in ("test_shop", "shop.queries", "shop.models"))
