"""What the shop does with orders; each function commits."""

from sqlalchemy import update

from shop.database import Session
from shop.models import Order


def place(customer: str) -> int:
    with Session.begin() as session:
        order = Order(customer=customer)
        session.add(order)
        session.flush()
        return order.id


def ship(number: int) -> None:
    with Session.begin() as session:
        session.execute(update(Order).where(Order.id == number).values(status="shipped"))
