"""Connections and sessions taken in many ways, some of which never go back; questions asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from threading import Thread
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from shop.models import AuditLog, Customer, Order, Product, Setting


def stream_orders(engine: Engine) -> Iterator[int]:
    """Keep the connection until the last row is read."""
    with engine.connect() as connection:  # expect: DBG504 connection @test_generator_left_open
        for row in connection.execute(select(Order.id).order_by(Order.id)):
            yield row.id


@lru_cache
def order_feed(engine: Engine) -> Iterator[int]:
    return stream_orders(engine)


def first_order(engine: Engine) -> int:
    """Read one row of a generator that the program keeps."""
    return next(order_feed(engine))


def drained(engine: Engine) -> int:
    """Read a generator to its end."""
    return sum(1 for _ in stream_orders(engine))


@lru_cache
def driver_connection(engine: Engine) -> Any:
    return engine.raw_connection()  # expect: DBG504 connection @test_raw_connection_kept


def count_by_driver(engine: Engine) -> int:
    cursor = driver_connection(engine).cursor()
    cursor.execute("SELECT count(*) FROM customer")
    return int(cursor.fetchone()[0])


def count_and_close(engine: Engine) -> int:
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM customer")
        row = cursor.fetchone()
        return int(row[0]) if row else 0


@lru_cache
def registry(maker: sessionmaker[Session]) -> scoped_session[Session]:
    """The thread-local session of an application without a framework."""
    return scoped_session(maker)


def count_scoped(maker: sessionmaker[Session]) -> int:
    session = registry(maker)
    return session.scalar(select(func.count()).select_from(Order)) or 0  # expect: DBG504 connection @test_scoped_kept


def count_scoped_and_remove(maker: sessionmaker[Session]) -> int:
    session = scoped_session(maker)
    try:
        return session.scalar(select(func.count()).select_from(Order)) or 0
    finally:
        session.remove()


@contextmanager
def cursor_of(engine: Engine) -> Iterator[Connection]:
    connection = engine.connect()
    try:
        yield connection
    finally:
        connection.close()


def failing(engine: Engine) -> str:
    """The connection goes back although the block fails."""
    try:
        with cursor_of(engine) as connection:
            connection.execute(select(Order.id))
            raise LookupError("nothing")
    except LookupError as error:
        return str(error)


def in_thread(maker: sessionmaker[Session]) -> list[int]:
    """A thread that closes what it opened."""
    out: list[int] = []

    def work() -> None:
        with maker() as session:
            out.append(session.scalar(select(func.count()).select_from(Product)) or 0)

    thread = Thread(target=work)
    thread.start()
    thread.join()
    return out


def tax(session: Session) -> int:
    return int(session.scalars(select(Setting.value).where(Setting.key == "key3")).one())


def invoice_total(session: Session, pk: int) -> int:
    stmt = select(Order.total).where(Order.id == pk)
    total = session.scalars(stmt).one()  # origin: DBG105 orders @test_total_asked_by_two_steps
    return total * tax(session)


def booking(session: Session, pk: int) -> int:
    stmt = select(Order.total).where(Order.id == pk)
    return session.scalars(stmt).one()  # expect: DBG105 orders @test_total_asked_by_two_steps


def close_order(session: Session, pk: int) -> tuple[int, int]:
    """Two steps of one use case look the same total up."""
    return invoice_total(session, pk), booking(session, pk)


def load_customer(session: Session, pk: int) -> Customer:
    """By select(), although the session may know the row."""
    stmt = select(Customer).where(Customer.id == pk)
    found = session.scalars(stmt)  # expect: DBG105 customer @test_row_twice  # origin: DBG105 customer @test_row_twice
    return found.one()


def greeting(session: Session, pk: int) -> str:
    return f"Dear {load_customer(session, pk).name}"


def address(session: Session, pk: int) -> str:
    return load_customer(session, pk).email


def letter(session: Session, pk: int) -> str:
    return f"{address(session, pk)}: {greeting(session, pk)}"


def letter_by_get(session: Session, pk: int) -> str:
    """get() twice: the identity map is weak, and the first row is gone when the second is wanted."""
    mail = session.get_one(Customer, pk).email  # origin: DBG105 customer @test_get_of_a_forgotten_row
    name = session.get_one(Customer, pk).name  # expect: DBG105 customer @test_get_of_a_forgotten_row
    return f"{mail}: {name}"


def letter_by_kept_row(session: Session, pk: int) -> str:
    """get() twice: the second is answered by the session, which knows the first as long as somebody holds it."""
    customer = session.get_one(Customer, pk)
    again = session.get_one(Customer, pk)
    return f"{customer.email}: {again.name}"


def log_and_count(session: Session, message: str) -> tuple[int, int]:
    """A flush between two counts."""
    before = session.scalar(select(func.count()).select_from(AuditLog)) or 0
    session.add(AuditLog(message=message))
    after = session.scalar(select(func.count()).select_from(AuditLog)) or 0
    return before, after


def count_in_two_sessions(maker: sessionmaker[Session]) -> tuple[int, int]:
    """Two sessions are two transactions."""
    with maker() as one:
        first = one.scalar(select(func.count()).select_from(Order)) or 0
    with maker() as other:
        second = other.scalar(select(func.count()).select_from(Order)) or 0
    return first, second


def after_core_insert(connection: Connection) -> tuple[int, int]:
    """A Core write between two counts."""
    before = connection.scalar(select(func.count()).select_from(AuditLog)) or 0
    connection.execute(insert(AuditLog).values(message="between"))
    after = connection.scalar(select(func.count()).select_from(AuditLog)) or 0
    return before, after
