"""The tables as the code knows them."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Status(Base):
    __tablename__ = "status"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(
        String(20), ForeignKey("status.name", name="orders_status"), server_default="open"
    )
