"""Runs every night: bills orders, counts the shelf. `python -m shop.jobs.nightly` runs it now."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from pytest_dbguard.runtime import get_database_service
from shop.models import Invoice, Order, OrderLine, Product, StockMovement


def bill(session: Session, day: date) -> int:
    """Make an invoice for each order that has none, and return how many were made."""
    stmt = select(Order.id).where(~Order.invoice.has()).order_by(Order.id)
    unbilled = session.scalars(stmt).all()
    invoices = []
    for order_id in unbilled:
        amount = func.coalesce(func.sum(OrderLine.quantity * OrderLine.unit_price_cents), 0)
        total = session.scalar(select(amount).where(OrderLine.order_id == order_id))  # planted: DBG103 order_lines
        invoices.append(Invoice(order_id=order_id, total_cents=total, issued_on=day))
    session.add_all(invoices)
    session.commit()  # innocent: all invoices in one transaction
    return len(unbilled)


def count_shelf(session: Session) -> dict[str, int]:
    """Return how many pieces of each product there should be."""
    counts = {}
    for product_id, sku in session.execute(select(Product.id, Product.sku).order_by(Product.id)).all():
        row = session.execute(  # planted: DBG103 stock_movements
            text("SELECT COALESCE(SUM(quantity), 0) FROM stock_movements WHERE product_id = :product"),
            {"product": product_id},
        )
        counts[sku] = int(row.scalar_one())
    return counts


def correct_shelf(session: Session, counted: dict[int, int]) -> None:
    """Write a movement for each product whose count differs."""
    for product_id, difference in counted.items():
        values = {"product_id": product_id, "quantity": difference, "reason": "count"}
        session.execute(insert(StockMovement).values(values))  # planted: DBG104 stock_movements


def ship_all(session: Session, references: list[str]) -> None:
    """Mark orders as shipped."""
    shipped = session.scalars(select(Order).where(Order.reference.in_(references))).all()
    for number, order in enumerate(shipped):
        order.reference = f"S{number}-{order.reference}"  # planted: DBG102 Order
        session.commit()  # planted: DBG502 orders


def main() -> None:
    """Run the job on the shop's database."""
    with get_database_service() as service, service.client() as session:
        bill(session, date.today())


if __name__ == "__main__":
    main()
