"""A manager that has nothing but what routing asks of one, and models to read and write."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import URL, ForeignKey, create_engine, event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from pytest_dbguard.databases.engines import forbid_writes
from pytest_dbguard.databases.sqlite_transactions import mend_sqlite
from pytest_dbguard.runtime.clock import SYSTEM_CLOCK
from pytest_dbguard.runtime.events import Events
from pytest_dbguard.runtime.routing import Replicas


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "routed_customer"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list[Order]] = relationship(back_populates="customer", order_by="Order.id")


class Order(Base):
    __tablename__ = "routed_order"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey(Customer.id))
    customer: Mapped[Customer] = relationship(back_populates="orders")


@dataclass(frozen=True)
class SmallTarget:
    role: str
    name: str
    url: URL
    weight: float = 1.0


@dataclass
class SmallRouting:
    max_lag_s: float = 60.0
    wait_s: float = 20.0
    eject_after: int = 3
    return_after_s: float = 30.0
    cookie: str = "position"
    header: str = "X-Position"
    token_max_age_s: float = 60.0


@dataclass
class SmallSettings:
    all_targets: tuple[SmallTarget, ...]
    routing: SmallRouting = field(default_factory=SmallRouting)

    def targets(self):
        return self.all_targets


class SmallManager:
    """Makes engines by role and target, and counts what is sent where."""

    def __init__(self, *targets, driver="psycopg", async_driver="psycopg", clock=SYSTEM_CLOCK, rng=None, **routing):
        self.settings = SmallSettings(targets, SmallRouting(**routing))
        self.clock = clock
        self.events = Events()
        self.options = {}
        """What engines of a target are made with besides, by its name."""
        self.sent = []
        """The target and first word of every statement, and of every COMMIT."""
        self._drivers = {False: driver, True: async_driver}
        self._engines = {}
        self.replicas = Replicas(self, rng=rng)

    def engine(self, role="primary", *, target=None):
        return self._engine(role, target, False)

    def async_engine(self, role="primary", *, target=None):
        return self._engine(role, target, True)

    def where(self, *, of="SELECT"):
        """Return the targets that statements of a kind went to, and forget all that were sent."""
        found = [target for target, word in self.sent if word == of]
        self.sent.clear()
        return found

    def close(self):
        for (_, is_async), engine in self._engines.items():
            (engine.sync_engine if is_async else engine).dispose(close=not is_async)

    def _engine(self, role, name, is_async):
        target = next(
            (each for each in self.settings.targets() if each.name == (name or role)), self.settings.targets()[0]
        )
        key = (target.name, is_async)
        if key not in self._engines:
            self._engines[key] = self._make(target, is_async)
        return self._engines[key]

    def _make(self, target, is_async):
        backend = target.url.get_backend_name()
        driver = self._drivers[is_async] if backend == "postgresql" else ("aiosqlite" if is_async else "pysqlite")
        url = target.url.set(drivername=f"{backend}+{driver}")
        options = self.options.get(target.name, {})
        engine = create_async_engine(url, **options) if is_async else create_engine(url, **options)
        sync_engine = engine.sync_engine if is_async else engine
        mend_sqlite(sync_engine)
        if target.role != "primary":
            event.listen(sync_engine, "connect", forbid_writes)

        @event.listens_for(sync_engine, "before_cursor_execute")
        def note_statement(connection, cursor, statement, parameters, context, executemany):
            self.sent.append((target.name, statement.split()[0].upper()))

        @event.listens_for(sync_engine, "commit")
        def note_commit(connection):
            self.sent.append((target.name, "COMMIT"))

        return engine
