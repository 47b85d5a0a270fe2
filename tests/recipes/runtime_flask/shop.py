"""A shop on Flask and the runtime: one session for each request, and a worker process that forks from this one."""

import os

from flask import Flask, abort, g, request
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from pytest_dbguard.runtime import get_database_service


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    product: Mapped[Product] = relationship()


def session() -> Session:
    if "session" not in g:
        g.session = get_database_service().client().session()
    return g.session


def close_session(_: BaseException | None) -> None:
    if "session" in g:
        g.session.close()


def place_order():
    product = session().get(Product, request.json["product_id"], with_for_update=True)
    if product is None:
        abort(404)
    order = Order(product=product)
    session().add(order)
    session().commit()
    return {"id": order.id}, 201


def count_orders():
    with get_database_service().readonly() as reader:
        return {"orders": reader.scalar(select(func.count(Order.id))), "process": os.getpid()}


def ready():
    readiness = get_database_service().ready()
    return readiness.to_dict(), 200 if readiness.ok else 503


def create_app() -> Flask:
    app = Flask("shop")
    app.post("/orders")(place_order)
    app.get("/orders")(count_orders)
    app.get("/ready")(ready)
    app.teardown_appcontext(close_session)
    return app
