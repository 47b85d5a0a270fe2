"""Generators, callbacks, decorators and context managers between a loop and its statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial, reduce, wraps
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.orm import Session, selectinload

from shop.models import AuditLog, Category, Customer, Item, Order, Product


def order_rows(session: Session) -> Iterator[Order]:
    stmt = select(Order).order_by(Order.id)
    for order in session.scalars(stmt):  # origin: DBG101 Order.customer @test_generator_lazy
        if order.state != "cancelled":
            yield order


def labels(session: Session) -> list[str]:
    out = []
    for order in order_rows(session):  # loop: DBG101 Order.customer @test_generator_lazy
        out.append(order.customer.name)  # expect: DBG101 Order.customer @test_generator_lazy
    return out


def product_ids(connection: Connection) -> Iterator[int]:
    yield from connection.scalars(select(Product.id).order_by(Product.id)).all()


def sold(connection: Connection, ids: Iterable[int]) -> Iterator[tuple[int, int]]:
    for pk in ids:  # loop: DBG103 item @test_generator_pipeline
        stmt = select(func.sum(Item.quantity)).where(Item.product_id == pk)
        yield pk, connection.scalar(stmt)  # expect: DBG103 item @test_generator_pipeline


def bestsellers(connection: Connection) -> list[int]:
    rows = sold(connection, product_ids(connection))
    return [pk for pk, quantity in rows if quantity > 5]


def customer_name(session: Session, order: Order) -> str:
    stmt = select(Customer.name).where(Customer.id == order.customer_id)
    return session.scalar(stmt) or ""  # expect: DBG103 customer @test_map_queries @test_sort_key_queries


def names_by_map(session: Session) -> list[str]:
    orders = session.scalars(select(Order).order_by(Order.id)).all()
    return list(map(partial(customer_name, session), orders))  # loop: DBG103 customer @test_map_queries


def sorted_by_name(session: Session) -> list[Order]:
    orders = session.scalars(select(Order)).all()
    key = partial(customer_name, session)
    return sorted(orders, key=key)  # loop: DBG103 customer @test_sort_key_queries


def is_sold(session: Session, product: Product) -> bool:
    stmt = select(Item.id).where(Item.product_id == product.id).limit(1)
    return session.scalar(stmt) is not None  # expect: DBG103 item @test_filter_queries


def sold_products(session: Session) -> list[Product]:
    products = session.scalars(select(Product)).all()
    sold = partial(is_sold, session)
    return list(filter(sold, products))  # loop: DBG103 item @test_filter_queries


def add_price(session: Session, total: int, pk: int) -> int:
    price = session.scalar(select(Product.price).where(Product.id == pk))  # expect: DBG103 product @test_reduce_queries
    return total + (price or 0)


def basket_price(session: Session, ids: list[int]) -> int:
    return reduce(partial(add_price, session), ids, 0)  # loop: DBG103 product @test_reduce_queries


def size(order: Order) -> int:
    return len(order.items)  # expect: DBG101 Order.items @test_max_key_lazy


def longest_order(session: Session) -> Order:
    stmt = select(Order).order_by(Order.id)
    orders = session.scalars(stmt).all()  # origin: DBG101 Order.items @test_max_key_lazy
    return max(orders, key=size)  # loop: DBG101 Order.items @test_max_key_lazy


def longest_loaded(session: Session) -> Order:
    orders = session.scalars(select(Order).options(selectinload(Order.items)).order_by(Order.id)).all()
    return max(orders, key=lambda order: len(order.items))


def audited(function: Callable[..., Any]) -> Callable[..., Any]:
    """Write a line to the log for each call."""

    @wraps(function)
    def wrapper(session: Session, *args: Any) -> Any:
        line = insert(AuditLog).values(message=function.__name__)
        session.execute(line)  # expect: DBG104 audit_log @test_decorator_writes
        return function(session, *args)

    return wrapper


@audited
def reprice(session: Session, product: Product, factor: int) -> None:
    product.price *= factor


def reprice_all(session: Session) -> None:
    for product in session.scalars(select(Product)).all():  # loop: DBG104 audit_log @test_decorator_writes
        reprice(session, product, 2)


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    """Do nothing but pass through."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@logged
def category_name(session: Session, pk: int) -> str | None:
    stmt = select(Category.name).where(Category.id == pk)
    return session.scalar(stmt)  # expect: DBG103 category @test_decorated_query


@logged
def category_names(session: Session, pks: list[int]) -> list[str | None]:
    return [category_name(session, pk) for pk in pks]  # loop: DBG103 category @test_decorated_query


@contextmanager
def stock_watch(session: Session, sku: str) -> Iterator[int]:
    stmt = select(Product.stock).where(Product.sku == sku)
    yield session.scalars(stmt).one()  # expect: DBG103 product @test_context_manager_queries


def watch_all(session: Session, skus: list[str]) -> int:
    total = 0
    for sku in skus:  # loop: DBG103 product @test_context_manager_queries
        with stock_watch(session, sku) as stock:
            total += stock
    return total


def chunk_of(session: Session, after: int, size: int) -> list[int]:
    return list(session.scalars(select(Item.id).where(Item.id > after).order_by(Item.id).limit(size)))


def all_items(session: Session, size: int) -> Iterator[int]:
    after = 0
    while chunk := chunk_of(session, after, size):
        yield from chunk
        after = chunk[-1]


def grouped(connection: Connection) -> dict[int, list[int]]:
    rows = connection.execute(select(Item.order_id, Item.id).order_by(Item.order_id, Item.id))
    return {pk: [row.id for row in group] for pk, group in groupby(rows, key=lambda row: row.order_id)}


def once(function: Callable[[Session], list[str]]) -> Callable[[Session], list[str]]:
    """Call a function once and remember."""
    memory: dict[str, list[str]] = {}

    @wraps(function)
    def wrapper(session: Session) -> list[str]:
        if "it" not in memory:
            memory["it"] = function(session)
        return memory["it"]

    return wrapper


@once
def all_skus(session: Session) -> list[str]:
    return list(session.scalars(select(Product.sku)))


def known(session: Session, skus: list[str]) -> list[bool]:
    return [sku in all_skus(session) for sku in skus]


def rows_mapped(session: Session) -> list[str]:
    stmt = select(Order.id, Customer.name).join(Order.customer).order_by(Order.id)
    return list(map(str, session.execute(stmt)))


@contextmanager
def transaction(session: Session) -> Iterator[Session]:
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise


def rename_two(session: Session) -> None:
    with transaction(session):
        session.scalars(select(Product).where(Product.sku == "sku0")).one().name = "first"
    with transaction(session):
        session.scalars(select(Product).where(Product.sku == "sku1")).one().name = "second"
