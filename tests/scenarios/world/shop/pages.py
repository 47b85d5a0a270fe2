"""Pages, batches and windows over large tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import count, islice
from typing import TypeVar

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.orm import Session

from shop.models import AuditLog, Customer, Item, Order, Product

T = TypeVar("T")


def batches(values: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch


def offset_pages(session: Session, size: int) -> Iterator[Sequence[Order]]:
    for page in count():
        stmt = select(Order).order_by(Order.id).offset(page * size).limit(size)
        rows = session.scalars(stmt).all()
        if not rows:
            return
        yield rows


def export_offset(session: Session) -> list[int]:
    return [order.total for page in offset_pages(session, 4) for order in page]


def lazy_on_pages(session: Session, size: int) -> list[str]:
    names = []
    page = 0
    while True:
        stmt = select(Order).order_by(Order.id).offset(page * size).limit(size)
        orders = session.scalars(stmt).all()  # origin: DBG101 Order.customer @test_lazy_on_each_page
        if not orders:
            return names
        for order in orders:  # loop: DBG101 Order.customer @test_lazy_on_each_page
            names.append(order.customer.name)  # expect: DBG101 Order.customer @test_lazy_on_each_page
        page += 1


def by_composite_key(connection: Connection, size: int) -> int:
    """Keyset pagination over two columns."""
    day, pk, seen = date.min, 0, 0
    while True:
        after = (Order.placed_on > day) | ((Order.placed_on == day) & (Order.id > pk))
        stmt = select(Order.placed_on, Order.id).where(after).order_by(Order.placed_on, Order.id).limit(size)
        rows = connection.execute(stmt).all()
        seen += len(rows)
        if len(rows) < size:
            return seen
        day, pk = rows[-1]


def names_in_batches(session: Session, ids: list[int], size: int) -> list[str]:
    names: list[str] = []
    for batch in batches(ids, size):
        names += session.scalars(select(Product.name).where(Product.id.in_(batch)))
    return names


def daily_totals(session: Session, first: date, days: int) -> list[int]:
    totals = []
    for offset in range(days):  # loop: DBG103 orders @test_one_question_a_day
        day = first + timedelta(days=offset)
        stmt = select(func.coalesce(func.sum(Order.total), 0)).where(Order.placed_on == day)
        totals.append(session.scalars(stmt).one())  # expect: DBG103 orders @test_one_question_a_day
    return totals


def daily_totals_grouped(session: Session) -> dict[date, int]:
    stmt = select(Order.placed_on, func.sum(Order.total)).group_by(Order.placed_on)
    return {day: total for day, total in session.execute(stmt)}  # noqa: C416


def archive_in_windows(session: Session, first: date, last: date, days: int) -> int:
    """Handle a window of days a transaction, so that none grows large."""
    moved = 0
    start = first
    while start <= last:
        end = start + timedelta(days=days)
        orders = session.scalars(select(Order).where(Order.placed_on >= start, Order.placed_on < end)).all()
        for order in orders:
            order.state = "archived"
        session.commit()
        moved += len(orders)
        start = end
    return moved


def purge_in_chunks(session: Session, size: int) -> int:
    """Delete a chunk a transaction: the documented way to empty a large table without long locks."""
    removed = 0
    while True:
        ids = session.scalars(select(AuditLog.id).order_by(AuditLog.id).limit(size)).all()
        if not ids:
            return removed
        session.execute(delete(AuditLog).where(AuditLog.id.in_(ids)).execution_options(synchronize_session=False))
        session.commit()
        removed += len(ids)


def fill_log(session: Session, lines: int) -> None:
    session.execute(insert(AuditLog), [{"message": str(n)} for n in range(lines)])
    session.commit()


def backfill_names(session: Session, size: int) -> int:
    """Walk a table by key and write each window in one statement."""
    low, done = 0, 0
    highest = session.scalar(select(func.max(Product.id))) or 0
    while low < highest:
        window = Product.id.between(low + 1, low + size)
        session.execute(update(Product).where(window).values(name=func.upper(Product.name)))
        session.commit()
        low += size
        done += 1
    return done


def stream_items(session: Session) -> int:
    stmt = select(Item).order_by(Item.id).execution_options(yield_per=10)
    return sum(item.quantity for item in session.scalars(stmt))


def first_orders(session: Session) -> list[int | None]:
    """LIMIT 1 for each customer is no pagination."""
    ids = []
    for pk in session.scalars(select(Customer.id)).all():  # loop: DBG103 orders @test_latest_of_each
        stmt = select(Order.id).where(Order.customer_id == pk).order_by(Order.placed_on.desc()).limit(1)
        ids.append(session.scalar(stmt))  # expect: DBG103 orders @test_latest_of_each
    return ids


def first_pages(session: Session) -> list[Sequence[Order]]:
    """The first page of each customer is no pagination either: nothing moves but the customer."""
    pages = []
    for pk in (1, 2, 3, 4):  # loop: DBG103 orders @test_first_page_of_each
        stmt = select(Order).where(Order.customer_id == pk).order_by(Order.id).limit(10).offset(0)
        pages.append(session.scalars(stmt).all())  # expect: DBG103 orders @test_first_page_of_each
    return pages


def page_with_count(session: Session, number: int, size: int) -> tuple[int, list[int]]:
    total = session.scalar(select(func.count()).select_from(Order))
    stmt = select(Order.id).order_by(Order.id).limit(size).offset(number * size)
    return total or 0, list(session.scalars(stmt))
