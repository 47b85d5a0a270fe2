"""Commits, flushes, savepoints and connections that are kept too long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from shop.models import AuditLog, Category, Customer, Item, Job, Order, Outbox, Product, Setting

T = TypeVar("T")


def begin_each(engine: Engine, messages: list[str]) -> None:
    """A transaction of its own for each INSERT."""
    for message in messages:  # loop: DBG502 audit_log @test_engine_begin_each
        with engine.begin() as connection:
            connection.execute(insert(AuditLog).values(message=message))  # expect: DBG502 audit_log @test_engine_begin_each  # noqa: E501 # fmt: skip


def session_begin_each(maker: sessionmaker[Session], topics: list[str]) -> None:
    for topic in topics:  # loop: DBG502 outbox @test_maker_begin_each
        with maker.begin() as session:  # expect: DBG502 outbox @test_maker_begin_each
            session.add(Outbox(topic=topic))


@contextmanager
def committed(session: Session) -> Iterator[None]:
    yield
    session.commit()  # expect: DBG502 job @test_committing_context_manager


def finish_each(session: Session, jobs: list[Job]) -> None:
    for job in jobs:  # loop: DBG502 job @test_committing_context_manager
        with committed(session):
            job.state = "done"


def waiting(session: Session) -> list[Job]:
    return list(session.scalars(select(Job).where(Job.state == "waiting").order_by(Job.id)))


def cancel(session: Session, order: Order) -> None:
    order.state = "cancelled"
    session.commit()  # expect: DBG502 orders @test_commit_in_a_callee


def cancel_all(session: Session) -> int:
    orders = session.scalars(select(Order)).all()
    for order in orders:  # loop: DBG502 orders @test_commit_in_a_callee
        cancel(session, order)
    return len(orders)


def finish_once(session: Session, jobs: list[Job]) -> None:
    with committed(session):
        for job in jobs:
            job.state = "done"


def in_one_transaction(engine: Engine, messages: list[str]) -> None:
    with engine.begin() as connection:
        connection.execute(insert(AuditLog), [{"message": message} for message in messages])


def commit_without_writes(session: Session, names: list[str]) -> int:
    """Nothing was written, so that the commits end read-only transactions of one question each."""
    seen = 0
    for name in names:  # loop: DBG103 category @test_read_and_commit_each
        stmt = select(func.count()).select_from(Category).where(Category.name == name)
        seen += session.scalars(stmt).one()  # expect: DBG103 category @test_read_and_commit_each
        session.commit()
    return seen


def save(session: Session, thing: T) -> T:
    session.add(thing)
    session.flush()  # expect: DBG505 audit_log @test_flush_storm
    return thing


def onboard(session: Session, name: str) -> Customer:
    """Flush after each step of a long use case: eleven flushes on eleven lines, no loop."""
    customer = save(session, Customer(email=f"{name}@shop.test", name=name))
    save(session, AuditLog(message="registered"))
    order = save(session, Order(customer=customer, placed_on=date(2024, 5, 1)))
    save(session, AuditLog(message="order opened"))
    save(session, Item(order=order, product_id=1))
    save(session, AuditLog(message="first item"))
    save(session, Item(order=order, product_id=2))
    save(session, AuditLog(message="second item"))
    save(session, Outbox(topic="customer.new"))
    save(session, AuditLog(message="announced"))
    save(session, Job(kind="welcome"))
    save(session, AuditLog(message="welcomed"))
    session.commit()
    return customer


def onboard_at_once(session: Session, name: str) -> Customer:
    """The same rows with one flush."""
    customer = Customer(email=f"{name}@shop.test", name=name)
    order = Order(customer=customer, placed_on=date(2024, 5, 1))
    order.items = [Item(product_id=1), Item(product_id=2)]
    messages = ("registered", "order opened", "first item", "second item", "announced", "welcomed")
    session.add_all([customer, order, Outbox(topic="customer.new"), Job(kind="welcome")])
    session.add_all([AuditLog(message=message) for message in messages])
    session.commit()
    return customer


def three_flushes(session: Session, name: str) -> int:
    """A few flushes for keys that are needed at once."""
    customer = Customer(email=f"{name}@shop.test", name=name)
    session.add(customer)
    session.flush()
    session.add(AuditLog(message=f"customer {customer.id}"))
    session.flush()
    session.add(Outbox(topic="customer.new", payload={"customer": customer.id}))
    session.flush()
    session.commit()
    return customer.id


def mixed_customers(session: Session, names: list[str]) -> None:
    """Only some rows name their tier: the rows differ in columns, and each INSERT goes alone."""
    for number, name in enumerate(names):
        mail = f"{name}@shop.test"
        if number % 2:
            session.add(Customer(email=mail, name=name, tier="gold"))
        else:
            session.add(Customer(email=mail, name=name))
    session.commit()  # expect: DBG110 customer @test_rows_differ_in_columns


def computed_names(session: Session, names: list[str]) -> None:
    """SQL expressions as values: each INSERT goes alone."""
    session.add_all([Category(name=func.upper(name)) for name in names])
    session.flush()  # expect: DBG110 category @test_rows_of_expressions


def same_customers(session: Session, names: list[str]) -> None:
    """All rows name the same columns: one INSERT."""
    for number, name in enumerate(names):
        session.add(Customer(email=f"{name}@shop.test", name=name, tier="gold" if number % 2 else "basic"))
    session.commit()


def restock(session: Session) -> None:
    """All rows change the same column: one executemany."""
    for product in session.scalars(select(Product).order_by(Product.id)):
        product.stock = 100 + product.id
    session.flush()


def two_kinds(session: Session) -> None:
    """Two rows that differ are no batch."""
    session.add_all([Customer(email="x@shop.test", name="x"), Customer(email="y@shop.test", name="y", tier="gold")])
    session.flush()


def settings_by_key(session: Session, pairs: dict[str, str]) -> int:
    """Change what is there, add what is not: an UPDATE and an INSERT in one flush."""
    found = {s.key: s for s in session.scalars(select(Setting).where(Setting.key.in_(pairs)))}
    for key, value in pairs.items():
        if key in found:
            found[key].value = value
        else:
            session.add(Setting(key=key, value=value))
    session.flush()
    return len(found)


class Exporter:
    """Takes a connection when it is made."""

    def __init__(self, engine: Engine) -> None:
        self.connection = engine.connect()  # expect: DBG504 connection @test_connection_never_closed

    def count(self) -> int:
        return self.connection.scalar(select(func.count()).select_from(Order)) or 0

    def close(self) -> None:
        self.connection.close()


@lru_cache
def exporter(engine: Engine) -> Exporter:
    """Keep one exporter, and its connection, for as long as the program runs."""
    return Exporter(engine)


class Reader:
    """Opens a session when it is made."""

    def __init__(self, maker: sessionmaker[Session]) -> None:
        self.session = maker()

    def names(self) -> list[str]:
        stmt = select(Customer.name).order_by(Customer.id)
        return list(self.session.scalars(stmt))  # expect: DBG504 connection @test_session_never_closed


@lru_cache
def reader(maker: sessionmaker[Session]) -> Reader:
    """Keep one reader, and its session, for as long as the program runs."""
    return Reader(maker)


class Closing:
    """Takes a connection for as long as it is needed."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def count(self) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(Order)) or 0


def raw_count(engine: Engine) -> int:
    """A driver's connection, given back by hand."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM orders")
        row = cursor.fetchone()
        return int(row[0]) if row else 0
    finally:
        connection.close()


def committed_session(maker: sessionmaker[Session]) -> Session:
    """Return an open session that holds no connection any more."""
    session = maker()
    session.execute(update(Job).where(Job.id == 1).values(state="done"))
    session.commit()
    return session


def savepoints(connection: Connection, keys: list[str]) -> int:
    """A savepoint for each step of three that may fail."""
    done = 0
    for key in keys:
        try:
            with connection.begin_nested():
                connection.execute(insert(Setting).values(key=key, value="1"))
            done += 1
        except Exception:  # noqa: BLE001
            continue
    return done
