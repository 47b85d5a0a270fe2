"""Cost of reading a relationship that was loaded along with its parents: as it is, and while its reads are noticed."""

from __future__ import annotations

import timeit
from statistics import median

from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

ROUNDS = 15
READS = 100_000


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    items: Mapped[list[Item]] = relationship()


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))


def measure(session: Session) -> float:
    """Return the median time of one read in µs."""
    order = session.scalars(select(Order).options(selectinload(Order.items))).all()[0]
    timer = timeit.Timer("order.items", globals={"order": order})
    return median(timer.repeat(ROUNDS, READS)) / READS * 1e6


def main() -> None:
    """Print the cost of one read."""
    from pathlib import Path

    from pytest_dbguard.recording.listeners import Listeners
    from pytest_dbguard.recording.ownership import Ownership
    from pytest_dbguard.recording.recorder import Recorder
    from pytest_dbguard.recording.scopes import Scope

    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Order(items=[Item(), Item()]))
        session.commit()
    with Session(engine) as session:
        plain = measure(session)
    recorder = Recorder(Ownership(Path.cwd()))
    listeners = Listeners(recorder)
    listeners.attach()
    recorder.open(Scope("benchmark", "call"), main.__code__)
    with Session(engine) as session:
        noticed = measure(session)
    recorder.close()
    listeners.detach()
    print("| µs for one read of a loaded relationship | |\n|---|---:|")
    print(f"| as it is | {plain:.2f} |\n| noticed (only of relationships that a query loaded along) | {noticed:.2f} |")


if __name__ == "__main__":
    main()
