"""Takes in what suppliers and the warehouse send."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shop.models import StockMovement, Supplier, Tag


def import_suppliers(session: Session, rows: Iterable[tuple[str, str]]) -> list[int]:
    """Add suppliers by (name, country) and return their ids."""
    ids = []
    for name, country in rows:
        supplier = Supplier(name=name, country=country)
        session.add(supplier)
        session.flush()  # planted: DBG104 suppliers
        ids.append(supplier.id)
    return ids


def import_movements(session: Session, rows: list[tuple[int, int]]) -> int:
    """Add stock movements by (product id, quantity) in one executemany."""
    values = [{"product_id": product, "quantity": quantity, "reason": "import"} for product, quantity in rows]
    session.execute(insert(StockMovement), values)  # innocent: one executemany
    return len(values)


def import_tags(session: Session, names: Iterable[str]) -> int:
    """Add tags and skip those there are already, each in a savepoint of its own."""
    added = 0
    for name in names:
        try:
            with session.begin_nested():  # innocent: a savepoint for each row lets one fail alone
                session.add(Tag(name=name))
            added += 1
        except IntegrityError:
            pass
    return added
