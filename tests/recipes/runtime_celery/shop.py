"""A shop's tasks on Celery and the runtime: each worker process has connections of its own, and closes them."""

import os

from celery import Celery
from celery.signals import worker_init, worker_process_init, worker_process_shutdown
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from pytest_dbguard.runtime import get_database_service


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    stock: Mapped[int] = mapped_column(index=True)


app = Celery("shop")
app.config_from_object("celeryconfig")


@worker_init.connect
def check(**_):
    """Fail here, and not in the first task, where the database cannot be reached."""
    with get_database_service().client().engine.connect():
        pass


@worker_process_init.connect
def start(**_):
    get_database_service().start()


@worker_process_shutdown.connect
def stop(**_):
    get_database_service().stop()


def take(session: Session, product_id: int, pieces: int) -> int:
    product = session.get_one(Product, product_id, with_for_update=True)
    product.stock -= pieces
    return product.stock


@app.task
def sell(product_id: int, pieces: int) -> dict[str, int]:
    """Sell in one transaction, and again where the database says that another one came in between."""
    client = get_database_service().client()
    return {"stock": client.run(lambda session: take(session, product_id, pieces)), "process": os.getpid()}


@app.task
def sold_out() -> list[str]:
    with get_database_service().readonly() as session:
        return list(session.scalars(select(Product.name).where(Product.stock <= 0)))
