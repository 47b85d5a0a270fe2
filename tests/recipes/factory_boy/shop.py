"""A shop whose code takes its sessions from one registry, bound to an engine made at import time."""

import os

from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, scoped_session, sessionmaker


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    customer: Mapped[Customer] = relationship()


engine = create_engine(os.environ.get("DATABASE_URL", "postgresql+psycopg://shop@db.shop.example/shop"))
Session = scoped_session(sessionmaker(engine))


def turnover():
    statement = select(Customer.name, func.sum(Order.total)).join_from(Order, Customer).group_by(Customer.name)
    with engine.connect() as connection:
        return dict(connection.execute(statement).all())


def cancel(order_id):
    Session.delete(Session.get_one(Order, order_id))
    Session.commit()
