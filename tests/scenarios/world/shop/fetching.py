"""Rows fetched to be counted, to know whether there are any, or to take the first; and rows that are used."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, exists, func, select
from sqlalchemy.orm import Session

from shop.models import Customer, Item, Order, Product, Setting


def how_many_open(session: Session) -> int:
    stmt = select(Order).where(Order.state == "open")
    return len(session.scalars(stmt).all())  # expect: DBG111 orders @test_len_of_all


def how_many_items(connection: Connection) -> int:
    stmt = select(Item.id)
    rows = connection.execute(stmt).fetchall()  # expect: DBG111 item @test_len_of_a_name
    return len(rows)


def has_orders(session: Session, pk: int) -> str:
    stmt = select(Order).where(Order.customer_id == pk)
    if session.scalars(stmt).all():  # expect: DBG111 orders @test_if_all
        return "has orders"
    return "has none"


def is_gone(session: Session, sku: str) -> bool:
    stmt = select(Product).where(Product.stock < 100)
    return not session.scalars(stmt).all()  # expect: DBG111 product @test_not_all


def newest(session: Session) -> Order:
    stmt = select(Order).order_by(Order.placed_on.desc())
    return session.scalars(stmt).all()[0]  # expect: DBG111 orders @test_first_of_all


def cheapest(session: Session) -> Product | None:
    stmt = select(Product).order_by(Product.price)
    return session.scalars(stmt).first()  # expect: DBG111 product @test_first_without_limit


def legacy_count(session: Session) -> int:
    query = session.query(Customer).filter(Customer.tier == "gold")
    customers = query.all()  # expect: DBG111 customer @test_legacy_len
    return len(customers)


def counted(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Order)) or 0


def any_order(session: Session, pk: int) -> bool:
    return bool(session.scalar(select(exists().where(Order.customer_id == pk))))


def newest_limited(session: Session) -> Order | None:
    return session.scalars(select(Order).order_by(Order.placed_on.desc()).limit(1)).first()


def by_key(session: Session, key: str) -> Setting | None:
    """The primary key makes it one row at most."""
    return session.scalars(select(Setting).where(Setting.key == key)).first()


def by_mail(session: Session, mail: str) -> Customer | None:
    """A unique column makes it one row at most."""
    return session.scalars(select(Customer).where(Customer.email == mail)).first()


def page_of_orders(session: Session) -> dict[str, object]:
    """Count rows that are used as well."""
    orders = session.scalars(select(Order).order_by(Order.id)).all()
    return {"amount": len(orders), "ids": [order.id for order in orders]}


def first_and_rest(session: Session) -> tuple[int, int]:
    rows = session.scalars(select(Order.total).order_by(Order.id)).all()
    return rows[0], sum(rows[1:])


def log_if_any(session: Session) -> list[str]:
    products = session.scalars(select(Product).where(Product.stock < 100)).all()
    if not products:
        return []
    return [product.sku for product in products]


def handed_on(session: Session) -> Sequence[Item]:
    return session.scalars(select(Item)).all()


def first_query_limited(session: Session) -> Customer | None:
    """Query.first() adds its LIMIT itself."""
    return session.query(Customer).order_by(Customer.id).first()


def aggregate_first(session: Session) -> int:
    """An aggregate has one row."""
    row = session.execute(select(func.max(Order.total))).first()
    return row[0] if row else 0


def distinct_mails(session: Session) -> int:
    """The rows go into a set: their number is not the number of rows."""
    return len({mail.split("@")[1] for mail in session.scalars(select(Customer.email))})
