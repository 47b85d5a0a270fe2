"""The tables that the application maps itself."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase): ...


class Shop(Base):
    __tablename__ = "shop"
    id: Mapped[int] = mapped_column(Identity(start=1), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    orders: Mapped[list[Order]] = relationship(back_populates="shop")


class Order(Base):
    __tablename__ = "order"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id", ondelete="CASCADE"))
    shop: Mapped[Shop] = relationship(back_populates="orders")


def seed(session: Session) -> None:
    """Add what every test starts from."""
    shop = Shop(name="corner")
    session.add(shop)
    session.add_all([Order(shop=shop), Order(shop=shop)])
    session.flush()
