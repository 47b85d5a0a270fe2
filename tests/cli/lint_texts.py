"""Sources and models that tests of `dbguard lint` judge."""

from __future__ import annotations

PAGES = """\
SELECT id, name FROM shops
WHERE city = $1
ORDER BY id
LIMIT 10 OFFSET 50000;

SELECT id FROM shops ORDER BY id LIMIT 10;
"""
REPO = '''\
from sqlalchemy import text


def by_city(session, city):
    return session.execute(
        text(
            """
            SELECT id FROM shops
            WHERE city = :city
            """
        ),
        {"city": city},
    )


def shuffled(cursor):
    cursor.execute("SELECT id FROM shops WHERE city <> %s ORDER BY random() LIMIT 1", ("x",))
'''
MODELS = """\
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str]


class Sale(Base):
    __tablename__ = "sales"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))
"""
