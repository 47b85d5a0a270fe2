"""Retry loops, polling and work queues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from shop.models import Customer, Job, Order, Outbox, Product, Setting


class Flaky:
    """Fails the first so many times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def __call__(self) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise OperationalError("serialization failure", {}, Exception("try again"))


def reserve(session: Session, sku: str, flaky: Flaky, attempts: int = 5) -> int:
    for attempt in range(attempts):
        try:
            product = session.scalars(select(Product).where(Product.sku == sku)).one()
            flaky()
            product.stock -= 1
            session.commit()
            return attempt
        except OperationalError:
            session.rollback()
    raise RuntimeError("gave up")


def retry(function: Callable[[], Any], attempts: int = 4) -> Any:
    """Call a function until it succeeds."""
    for attempt in range(1, attempts + 1):
        try:
            return function()
        except OperationalError:
            if attempt == attempts:
                raise
    return None


def open_total(session: Session, flaky: Flaky) -> int:
    total = session.scalar(select(func.sum(Order.total)).where(Order.state == "open"))
    flaky()
    return total or 0


def open_total_retried(session: Session, flaky: Flaky) -> int:
    result: int = retry(lambda: open_total(session, flaky))
    return result


class Attempt:
    """One try of `Retrying`: swallows the error, so that the loop goes on."""

    def __init__(self, owner: Retrying) -> None:
        self.owner = owner

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> bool:
        self.owner.done = kind is None
        return kind is not None and issubclass(kind, OperationalError)


class Retrying:
    """Iterate over attempts until one succeeds, as tenacity's class of that name does."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts
        self.done = False

    def __iter__(self) -> Iterator[Attempt]:
        for _ in range(self.attempts):
            yield Attempt(self)
            if self.done:
                return


def setting_retried(session: Session, key: str, flaky: Flaky) -> str | None:
    value = None
    for attempt in Retrying(5):
        with attempt:
            value = session.scalar(select(Setting.value).where(Setting.key == key))
            flaky()
    return value


def report_retried(session: Session, flaky: Flaky) -> list[str]:
    """Retry around a loop: the inner loop is at fault, not the outer."""
    for _ in range(3):
        try:
            names = []
            for pk in range(1, 5):  # loop: DBG103 customer @test_retry_around_a_loop
                stmt = select(Customer.name).where(Customer.id == pk)
                names.append(session.scalars(stmt).one())  # expect: DBG103 customer @test_retry_around_a_loop
            flaky()
            return names
        except OperationalError:
            session.rollback()
    raise RuntimeError("gave up")


def fetch_retried(session: Session, pk: int) -> str | None:
    for _ in range(3):
        try:
            stmt = select(Customer.name).where(Customer.id == pk)
            return session.scalar(stmt)  # expect: DBG103 customer @test_loop_around_a_retry
        except OperationalError:
            session.rollback()
    return None


def fetch_all_retried(session: Session, pks: list[int]) -> list[str | None]:
    return [fetch_retried(session, pk) for pk in pks]  # loop: DBG103 customer @test_loop_around_a_retry


def wait_until_done(session: Session, pk: int, tick: Callable[[], None]) -> int:
    polls = 0
    while True:
        state = session.scalar(select(Job.state).where(Job.id == pk))
        if state == "done":
            return polls
        session.rollback()
        tick()
        polls += 1


def wait_for_row(session: Session, pk: int, tick: Callable[[], None]) -> Job | None:
    job = session.get(Job, pk)
    for _ in range(10):
        if job is not None and job.state == "done":
            break
        tick()
        session.refresh(job)
    return job


def claim(session: Session) -> Job | None:
    stmt = select(Job).where(Job.state == "waiting").order_by(Job.id).limit(1).with_for_update(skip_locked=True)
    return session.scalars(stmt).first()


def work_off(maker: sessionmaker[Session]) -> int:
    """One job a transaction: what a queue is."""
    done = 0
    while True:
        with maker.begin() as session:
            job = claim(session)
            if job is None:
                return done
            job.state = "done"
            done += 1


def claim_batch(session: Session, size: int) -> list[Job]:
    stmt = select(Job).where(Job.state == "waiting").order_by(Job.id).limit(size).with_for_update(skip_locked=True)
    return list(session.scalars(stmt))


def work_off_batches(session: Session, size: int) -> int:
    done = 0
    while jobs := claim_batch(session, size):
        for job in jobs:
            job.state = "done"
        session.commit()
        done += len(jobs)
    return done


def customer_of(session: Session, message: Outbox) -> str | None:
    stmt = select(Customer.name).join(Order).where(Order.id == message.payload["order"])
    return session.scalar(stmt)  # expect: DBG103 customer @test_queue_consumer_queries


def relay(session: Session) -> list[str | None]:
    stmt = select(Outbox).where(Outbox.sent.is_(False)).with_for_update(skip_locked=True)
    names = []
    for message in session.scalars(stmt).all():  # loop: DBG103 customer @test_queue_consumer_queries
        names.append(customer_of(session, message))
        message.sent = True
    session.commit()
    return names


def compare_and_swap(session: Session, pk: int) -> int:
    """Optimistic locking: read, write where unchanged, again if somebody was faster."""
    tries = 0
    while True:
        tries += 1
        seen = session.scalars(select(Job.attempts).where(Job.id == pk)).one()
        stmt = update(Job).where(Job.id == pk, Job.attempts == seen).values(attempts=seen + 1)
        changed = session.execute(stmt.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
        if changed and tries >= 3:
            session.commit()
            return tries
        session.rollback()
