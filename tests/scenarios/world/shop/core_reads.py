"""Reads that speak Core, text() and driver SQL."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, func, select, text
from sqlalchemy.orm import Session

from shop.models import Customer, Item, Order, Product, Rate, Setting


def totals_by_core(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    totals = {}
    for pk in ids:  # loop: DBG103 orders @test_core_select_in_a_loop
        stmt = select(func.sum(Order.total)).where(Order.customer_id == pk)
        totals[pk] = connection.execute(stmt).scalar_one()  # expect: DBG103 orders @test_core_select_in_a_loop
    return totals


def names_by_text(connection: Connection, ids: Iterable[int]) -> list[str]:
    names = []
    for pk in ids:  # loop: DBG103 customer @test_text_in_a_loop
        row = connection.execute(  # expect: DBG103 customer @test_text_in_a_loop
            text("SELECT name FROM customer WHERE id = :pk"),
            {"pk": pk},
        ).one()
        names.append(row.name)
    return names


def stock_by_driver(connection: Connection, skus: list[str]) -> int:
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    total = 0
    for sku in skus:  # loop: DBG103 product @test_driver_sql_in_a_loop
        sql = f"SELECT stock FROM product WHERE sku = {mark}"
        total += connection.exec_driver_sql(sql, (sku,)).scalar()  # expect: DBG103 product @test_driver_sql_in_a_loop
    return total


def find_by_mail(connection: Connection, mails: Iterable[str]) -> list[int]:
    found = []
    for mail in mails:  # loop: DBG103 customer @test_fstring_sql_in_a_loop
        sql = f"SELECT id FROM customer WHERE email = '{mail}'"
        found += connection.execute(text(sql)).scalars()  # expect: DBG103 customer @test_fstring_sql_in_a_loop
    return found


RATE = text("SELECT value FROM rate WHERE currency = :currency")


def convert_all(session: Session, amounts: list[tuple[str, int]]) -> int:
    total = 0
    for currency, amount in amounts:  # loop: DBG103 rate @test_session_text_in_a_loop
        rate = session.scalar(RATE, {"currency": currency})  # expect: DBG103 rate @test_session_text_in_a_loop
        total += amount * rate
    return total


def stock_of(connection: Connection, sku: str) -> int | None:
    return connection.scalar(select(Product.stock).where(Product.sku == sku))  # expect: DBG103 product @test_dict_comp


def stock_dictionary(connection: Connection, skus: list[str]) -> dict[str, int | None]:
    return {sku: stock_of(connection, sku) for sku in skus}  # loop: DBG103 product @test_dict_comp


def spent(session: Session, customer: Customer) -> int:
    stmt = select(func.coalesce(func.sum(Order.total), 0)).where(Order.customer_id == customer.id)
    return session.scalars(stmt).one()  # expect: DBG103 orders @test_aggregate_for_each_parent


def best_customers(session: Session) -> list[str]:
    customers = session.scalars(select(Customer).order_by(Customer.id)).all()
    rows = []
    for customer in customers:  # loop: DBG103 orders @test_aggregate_for_each_parent
        rows.append((spent(session, customer), customer.name))
    return [name for _, name in sorted(rows, reverse=True)]


def items_of_each_table(connection: Connection) -> list[int]:
    return [
        connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in ("customer", "orders", "item", "product")
    ]


def totals_in_one(connection: Connection, ids: list[int]) -> dict[int, int]:
    stmt = select(Order.customer_id, func.sum(Order.total)).where(Order.customer_id.in_(ids))
    rows = connection.execute(stmt.group_by(Order.customer_id)).all()
    return {row[0]: row[1] for row in rows}


def walk_rows(connection: Connection) -> int:
    total = 0
    for row in connection.execute(select(Item.id, Item.quantity)):
        total += row.quantity
    return total


FIND_NAME = select(Customer.name).where(Customer.id == bindparam("pk"))


def name_of(connection: Connection, pk: int) -> str:
    return connection.execute(FIND_NAME, {"pk": pk}).scalar_one()


def greet_two(connection: Connection, buyer: int, seller: int) -> str:
    return f"{name_of(connection, buyer)} meets {name_of(connection, seller)}"


def first_known_setting(session: Session, keys: list[str]) -> str | None:
    for key in keys:  # loop: DBG103 setting @test_first_known_setting
        found = session.scalar(select(Setting.value).where(Setting.key == key))  # expect: DBG103 setting @test_first_known_setting  # noqa: E501 # fmt: skip
        if found is not None:
            return found
    return None


def free_sku(session: Session, stem: str) -> str:
    number = 0
    while session.scalar(select(Product.id).where(Product.sku == f"{stem}{number}")) is not None:
        number += 1
    return f"{stem}{number}"


def rate_with_fallback(session: Session, currencies: list[str]) -> Rate:
    for currency in currencies:
        rate = session.scalars(select(Rate).where(Rate.currency == currency)).one_or_none()
        if rate is None:
            continue
        break
    return rate
