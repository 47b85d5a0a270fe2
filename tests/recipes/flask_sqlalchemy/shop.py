"""A shop on Flask-SQLAlchemy, with its orders in one database and its visits in another."""

import os

from flask import Flask, abort, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


class Product(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Order(db.Model):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    product: Mapped[Product] = relationship()


class Visit(db.Model):
    __bind_key__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str]


def place_order():
    product = db.session.get(Product, request.json["product_id"])
    if product is None:
        abort(404)
    order = Order(product=product)
    db.session.add_all([order, Visit(path=request.path)])
    db.session.commit()
    return {"id": order.id}, 201


def count_visits():
    return {"visits": db.session.scalar(select(func.count(Visit.id)))}


def create_app():
    app = Flask("shop")
    url = os.environ.get("DATABASE_URL", "postgresql+psycopg://shop@db.shop.example/shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_BINDS"] = {"visits": url}
    db.init_app(app)
    app.post("/orders")(place_order)
    app.get("/visits")(count_visits)
    return app
