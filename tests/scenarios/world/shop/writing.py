"""Writes: one at a time, and all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, case, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shop.models import AuditLog, Category, Customer, Item, Job, Order, Product, Setting

Rows = list[dict[str, Any]]


def upsert_into(connection: Connection | Session) -> Any:
    dialect = connection.get_bind().dialect if isinstance(connection, Session) else connection.dialect
    return sqlite.insert if dialect.name == "sqlite" else postgresql.insert


def insert_each(connection: Connection, messages: Iterable[str]) -> None:
    for message in messages:  # loop: DBG104 audit_log @test_core_insert_each
        connection.execute(insert(AuditLog).values(message=message))  # expect: DBG104 audit_log @test_core_insert_each


def raise_prices(connection: Connection, prices: dict[str, int]) -> None:
    stmt = text("UPDATE product SET price = :price WHERE sku = :sku")
    for sku, price in prices.items():  # loop: DBG104 product @test_text_update_each
        connection.execute(stmt, {"sku": sku, "price": price})  # expect: DBG104 product @test_text_update_each


def delete_each(session: Session, ids: list[int]) -> None:
    for pk in ids:  # loop: DBG104 item @test_delete_each
        stmt = delete(Item).where(Item.id == pk)
        session.execute(stmt)  # expect: DBG104 item @test_delete_each


def upsert_each(session: Session, settings: dict[str, str]) -> None:
    add = upsert_into(session)
    for key, value in settings.items():  # loop: DBG104 setting @test_upsert_each
        stmt = add(Setting).values(key=key, value=value)
        stmt = stmt.on_conflict_do_update(index_elements=["key"], set_={"value": value})
        session.execute(stmt)  # expect: DBG104 setting @test_upsert_each
    session.commit()


def flush_each(session: Session, names: list[str]) -> list[int]:
    ids = []
    for name in names:  # loop: DBG104 category @test_flush_for_the_key
        category = Category(name=name)
        session.add(category)
        session.flush()  # expect: DBG104 category @test_flush_for_the_key
        ids.append(category.id)
    return ids


def save(session: Session, thing: Any) -> None:
    session.add(thing)
    session.flush()  # expect: DBG104 job @test_save_callback


def create_jobs(session: Session, kinds: list[str], store: Callable[[Session, Any], None]) -> None:
    for kind in kinds:  # loop: DBG104 job @test_save_callback
        store(session, Job(kind=kind))


def returning_each(session: Session, kinds: list[str]) -> list[int]:
    ids = []
    for kind in kinds:  # loop: DBG104 job @test_insert_returning_each
        stmt = insert(Job).values(kind=kind).returning(Job.id)
        ids.append(session.scalars(stmt).one())  # expect: DBG104 job @test_insert_returning_each
    return ids


def insert_all(connection: Connection, messages: Iterable[str]) -> None:
    connection.execute(insert(AuditLog), [{"message": message} for message in messages])


def upsert_all(session: Session, settings: dict[str, str]) -> None:
    stmt = upsert_into(session)(Setting).values([{"key": key, "value": value} for key, value in settings.items()])
    session.execute(stmt.on_conflict_do_update(index_elements=["key"], set_={"value": stmt.excluded.value}))
    session.commit()


def add_all(session: Session, names: list[str]) -> list[int]:
    categories = []
    for name in names:
        category = Category(name=name)
        session.add(category)
        categories.append(category)
    session.flush()
    return [category.id for category in categories]


def returning_all(session: Session, kinds: list[str]) -> list[int]:
    stmt = insert(Job).returning(Job.id, sort_by_parameter_order=True)
    return list(session.scalars(stmt, [{"kind": kind} for kind in kinds]))


def raise_all(session: Session, percent: int) -> int:
    for product in session.scalars(select(Product)):
        product.price += product.price * percent // 100
    session.commit()
    return percent


def raise_by_case(session: Session, prices: dict[str, int]) -> None:
    stmt = update(Product).where(Product.sku.in_(prices)).values(price=case(prices, value=Product.sku))
    session.execute(stmt.execution_options(synchronize_session=False))


def delete_many(session: Session, ids: list[int]) -> None:
    session.execute(delete(Item).where(Item.id.in_(ids)))


def import_unique(session: Session, settings: dict[str, str]) -> int:
    """Skip what is there already: a savepoint for each row is the price of asking the database."""
    skipped = 0
    for key, value in settings.items():
        try:
            with session.begin_nested():
                session.add(Setting(key=key, value=value))
        except IntegrityError:
            skipped += 1
    session.commit()
    return skipped


def place(session: Session, order: Order, skus: list[str]) -> None:
    """Write three tables in one transaction, on three lines."""
    products = session.scalars(select(Product).where(Product.sku.in_(skus))).all()
    session.add(order)
    session.flush()
    session.add_all([Item(order_id=order.id, product_id=product.id) for product in products])
    session.flush()
    session.add(AuditLog(message=f"order {order.id}"))
    session.commit()


def merge_each(session: Session, rows: Rows) -> None:
    """merge() reads each row that the session does not know."""
    for row in rows:  # loop: DBG103 customer @test_merge_each
        session.merge(Customer(**row))  # expect: DBG103 customer @test_merge_each
    session.commit()


def bulk_by_key(session: Session, rows: Rows) -> None:
    session.execute(update(Customer), rows)
    session.commit()


def two_steps(session: Session, pk: int) -> None:
    """Two updates of one row at two stages of one use case."""
    session.execute(update(Job).where(Job.id == pk).values(state="running"))
    session.execute(update(Job).where(Job.id == pk).values(state="done"))
