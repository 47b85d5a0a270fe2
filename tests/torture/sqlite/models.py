"""The tables that the application maps itself, and the data that every test starts from."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase): ...


class Shop(Base):
    __tablename__ = "shop"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    orders: Mapped[list[Order]] = relationship(back_populates="shop")


class Order(Base):
    __tablename__ = "order"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id", ondelete="CASCADE"))
    shop: Mapped[Shop] = relationship(back_populates="orders")


SEED = (
    "INSERT INTO customer (email, name, picture) VALUES ('ada@example.org', 'Ada', x'00ff'), ('bob@x', 'Bob', NULL)",
    "UPDATE customer SET name = 'Bobby' WHERE id = 2",
    "INSERT INTO account (customer_id, balance) VALUES (1, 10), (2, 20), (2, 30)",
    "DELETE FROM account WHERE id = 3",
    "INSERT INTO department VALUES (1, 1)",
    "INSERT INTO employee VALUES (1, 1)",
    "INSERT INTO setting VALUES ('a', 1), ('b', 'two')",
    'INSERT INTO "Odd %s "" Täble" VALUES (\'from\')',
    "INSERT INTO document VALUES ('first', 'to be found')",
)


def seed(session: Session) -> None:
    """Add what every test starts from."""
    for statement in SEED:
        session.connection().exec_driver_sql(statement)
    shop = Shop(name="corner")
    session.add(shop)
    session.add_all([Order(shop=shop), Order(shop=shop)])


def create(engine) -> None:
    """Create the mapped tables, and note the version of the schema."""
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 7")


def main(file: str) -> None:
    """Build the database in a file, with nothing of dbguard in it."""
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{file}")
    connection = engine.raw_connection()
    connection.executescript(Path(__file__).with_name("schema.sql").read_text())
    connection.close()
    create(engine)
    with Session(engine) as session:
        seed(session)
        session.commit()
    engine.dispose()
