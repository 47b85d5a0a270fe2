"""Commits every so many rows, deletes in portions, retrying decorators, joins inside subqueries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from sqlalchemy import delete, exists, func, insert, literal, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, aliased, selectinload

from shop.models import AuditLog, Category, Customer, Item, Job, Order, Product, Setting


def import_lines(session: Session, lines: Iterable[str], every: int) -> int:
    """Commit every so many rows, and what is left at the end."""
    number = 0
    for number, line in enumerate(lines, 1):
        session.add(AuditLog(message=line))
        if number % every == 0:
            session.commit()
    session.commit()
    return number


def import_and_forget(session: Session, lines: Iterable[str], every: int) -> int:
    """Flush every so many rows and let the session forget them."""
    number = 0
    for number, line in enumerate(lines, 1):
        session.add(AuditLog(message=line))
        if number % every == 0:
            session.flush()
            session.expunge_all()
    session.commit()
    return number


def import_buffered(session: Session, lines: Iterable[str], size: int) -> int:
    """Fill a buffer, write it when it is full."""
    buffer: list[dict[str, str]] = []
    written = 0
    for line in lines:
        buffer.append({"message": line})
        if len(buffer) == size:
            session.execute(insert(AuditLog), buffer)
            written += len(buffer)
            buffer = []
    if buffer:
        session.execute(insert(AuditLog), buffer)
        written += len(buffer)
    session.commit()
    return written


def delete_in_portions(session: Session, portion: int) -> int:
    """Delete a portion a transaction until nothing is left: the same text and parameters each time."""
    total = 0
    while True:
        some = select(Item.id).order_by(Item.id).limit(portion)
        stmt = delete(Item).where(Item.id.in_(some)).execution_options(synchronize_session=False)
        removed = session.execute(stmt).rowcount  # type: ignore[attr-defined]
        session.commit()
        total += removed
        if removed < portion:
            return total


def retrying(attempts: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Call again when the database was busy."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            error: OperationalError | None = None
            for _ in range(attempts):
                try:
                    return function(*args, **kwargs)
                except OperationalError as caught:
                    error = caught
            raise RuntimeError(f"gave up after {attempts}") from error

        return wrapper

    return decorate


@retrying(5)
def busy_count(session: Session, failures: list[int]) -> int:
    amount = session.scalar(select(func.count()).select_from(Order)) or 0
    if failures:
        failures.pop()
        raise OperationalError("busy", {}, Exception("locked"))
    return amount


@retrying(3)
def product_name(session: Session, pk: int) -> str:
    stmt = select(Product.name).where(Product.id == pk)
    return session.scalars(stmt).one()  # expect: DBG103 product @test_retrying_decorator_in_a_loop


def product_names(session: Session, pks: list[int]) -> list[str]:
    names = []
    for pk in pks:  # loop: DBG103 product @test_retrying_decorator_in_a_loop
        names.append(product_name(session, pk))
    return names


@retrying(3)
def all_orders(session: Session, failures: list[int]) -> list[str]:
    """The retried function holds a loop of its own."""
    stmt = select(Order).order_by(Order.id).execution_options(populate_existing=True)
    orders = session.scalars(stmt).all()  # origin: DBG101 Order.customer @test_retried_lazy_loads
    names = []
    for order in orders:  # loop: DBG101 Order.customer @test_retried_lazy_loads
        names.append(order.customer.name)  # expect: DBG101 Order.customer @test_retried_lazy_loads
    if failures:
        failures.pop()
        raise OperationalError("busy", {}, Exception("locked"))
    return names


def lazy_and_core(session: Session) -> list[tuple[str, int]]:
    """A lazy load and a Core statement in one loop: two facts with two fixes."""
    rows = []
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_lazy_and_core
    for order in orders:  # loop: DBG101 Order.customer @test_lazy_and_core  # loop: DBG103 item @test_lazy_and_core
        name = order.customer.name  # expect: DBG101 Order.customer @test_lazy_and_core
        stmt = select(func.sum(Item.quantity)).where(Item.order_id == order.id)
        rows.append((name, session.scalars(stmt).one()))  # expect: DBG103 item @test_lazy_and_core
    return rows


def unjoined_in_subquery(session: Session) -> Sequence[Any]:
    pairs = select(Customer.name, Order.total).where(Order.total > 100).subquery("pairs")
    stmt = select(func.count()).select_from(pairs)
    return session.execute(stmt).all()  # expect: DBG301 customer @test_unjoined_in_a_subquery


def unjoined_in_cte(session: Session) -> Sequence[Any]:
    pairs = select(Category.name, Product.sku).where(Product.price > 15).cte("pairs")
    stmt = select(pairs.c.sku, func.count()).group_by(pairs.c.sku)
    return session.execute(stmt).all()  # expect: DBG301 category @test_unjoined_in_a_cte


def uncorrelated_exists(session: Session) -> Sequence[Any]:
    """Customers, if there is any large order at all."""
    return session.execute(select(Customer.name).where(exists().where(Order.total > 105))).all()


def self_join(session: Session) -> Sequence[Any]:
    parent = aliased(Category)
    return session.execute(select(Category.name, parent.name).join(parent, Category.parent_id == parent.id)).all()


def grouped_subquery(session: Session) -> Sequence[Any]:
    """A grouped subquery, joined by its key in WHERE."""
    sums = select(Item.order_id, func.sum(Item.quantity).label("amount")).group_by(Item.order_id).subquery()
    return session.execute(select(Order.id, sums.c.amount).where(sums.c.order_id == Order.id)).all()


def limits(session: Session) -> Sequence[Any]:
    """A subquery of one setting beside each row: LIMIT 1."""
    one = select(Setting.value.label("limit")).where(Setting.key == "key1").limit(1).subquery()
    return session.execute(select(Product.sku, one.c.limit)).all()


def update_from(session: Session) -> None:
    """UPDATE ... FROM with its join in WHERE."""
    stmt = update(Item).where(Item.order_id == Order.id, Order.state == "open").values(quantity=Item.quantity + 1)
    session.execute(stmt.execution_options(synchronize_session=False))


def filter_of_parameters(session: Session) -> None:
    """A WHERE whose condition is not a constant of the text."""
    session.execute(update(Job).where(literal("a") == Job.kind).values(state="x"))


def nested_loaded(session: Session) -> int:
    stmt = select(Customer).options(selectinload(Customer.orders).selectinload(Order.items))
    return sum(len(order.items) for customer in session.scalars(stmt) for order in customer.orders)
