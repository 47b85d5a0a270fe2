"""Event hooks, handlers, shards and tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, event, func, insert, select
from sqlalchemy.orm import Mapper, Session, UOWTransaction, sessionmaker

from shop.models import AuditLog, Category, Customer, Item, Order, Outbox, Product, Setting

Handler = Callable[[Session, int], object]


def audit_insert(mapper: Mapper[Category], connection: Connection, target: Category) -> None:
    line = insert(AuditLog).values(message=f"new {target.name}")
    connection.execute(line)  # expect: DBG104 audit_log @test_mapper_event_writes


@contextmanager
def auditing() -> Iterator[None]:
    event.listen(Category, "after_insert", audit_insert)
    try:
        yield
    finally:
        event.remove(Category, "after_insert", audit_insert)


def create_categories(session: Session, names: list[str]) -> None:
    session.add_all([Category(name=name) for name in names])
    with auditing():
        session.commit()


def check_products(session: Session, context: UOWTransaction, instances: object) -> None:
    for thing in session.new:  # loop: DBG103 category @test_before_flush_asks
        if isinstance(thing, Product):
            stmt = select(func.count()).where(Category.id == thing.category_id)
            assert session.scalars(stmt).one()  # expect: DBG103 category @test_before_flush_asks


@contextmanager
def checking(session: Session) -> Iterator[None]:
    event.listen(session, "before_flush", check_products)
    try:
        yield
    finally:
        event.remove(session, "before_flush", check_products)


def create_products(session: Session, skus: list[str]) -> None:
    with checking(session), session.no_autoflush:
        session.add_all([Product(sku=sku, name=sku, category_id=3 + n) for n, sku in enumerate(skus)])
        session.commit()


def collect_audit(session: Session, context: UOWTransaction, instances: object) -> None:
    """Add the lines of the log to the same flush."""
    for thing in list(session.new):
        if isinstance(thing, Category):
            session.add(AuditLog(message=f"new {thing.name}"))


def create_with_collected_audit(session: Session, names: list[str]) -> None:
    event.listen(session, "before_flush", collect_audit)
    session.add_all([Category(name=name) for name in names])
    session.commit()
    event.remove(session, "before_flush", collect_audit)


def count_items(session: Session, pk: int) -> int:
    return session.scalars(select(func.count()).where(Item.order_id == pk)).one()


def find_customer(session: Session, pk: int) -> str:
    return session.scalars(select(Customer.name).join(Order).where(Order.id == pk)).one()


def write_outbox(session: Session, pk: int) -> None:
    session.execute(insert(Outbox).values(topic="order", payload={"order": pk}))


HANDLERS: tuple[Handler, ...] = (count_items, find_customer, write_outbox)


def publish(session: Session, pk: int) -> int:
    """Call three handlers that do three different things."""
    for handler in HANDLERS:
        handler(session, pk)
    return len(HANDLERS)


def publish_each(session: Session, pks: list[int]) -> int:
    done = 0
    for pk in pks:  # loop: DBG103 item @test_event_bus_in_a_loop
        done += notify(session, pk)
    return done


def notify(session: Session, pk: int) -> int:
    stmt = select(func.count()).where(Item.order_id == pk)
    return session.scalars(stmt).one()  # expect: DBG103 item @test_event_bus_in_a_loop


def on_all_shards(engines: list[Engine]) -> list[int]:
    """Ask the same of each shard: no statement can answer for three databases."""
    counts = []
    for engine in engines:
        with engine.connect() as connection:
            counts.append(connection.scalar(select(func.count()).select_from(Customer)) or 0)
    return counts


def copy_settings(source: Engine, targets: list[Engine]) -> int:
    """Write the same rows to each shard."""
    with source.connect() as connection:
        rows = [{"key": f"copy {key}", "value": value} for key, value in connection.execute(select(Setting))]
    for engine in targets:
        with engine.begin() as connection:
            connection.execute(insert(Setting), rows)
    return len(rows) * len(targets)


def is_healthy(engine: Engine, tries: int) -> int:
    """Ping so many times."""
    good = 0
    for _ in range(tries):
        with engine.connect() as connection:
            good += connection.scalar(select(1)) or 0
    return good


def ping_until(maker: sessionmaker[Session], clock: Iterator[float], deadline: float) -> int:
    """Ask whether a migration has run, until a deadline."""
    asked = 0
    while next(clock) < deadline:
        with maker() as session:
            asked += 1
            if session.scalar(select(Setting.value).where(Setting.key == "migrated")) is not None:
                break
    return asked
