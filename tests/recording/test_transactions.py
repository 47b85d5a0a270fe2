"""How long transactions take by a clock of the test, and what is named as the expiry of instances."""

from __future__ import annotations

import gc

import pytest
from application import Customer, Job
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from ways import by_block_of_a_session, by_connection, by_engine, by_session, commits, open_in, take, take_session

from pytest_dbguard.recording import connection_listeners
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.recording.scopes import Scope


class Clock:
    """A clock that stands still but for `passes`."""

    def __init__(self):
        self.now = 1_000

    def __call__(self):
        return self.now

    def passes(self, ms):
        self.now += ms * 1_000_000


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(connection_listeners, "perf_counter_ns", clock)
    return clock


def long_transactions(watch):
    transactions = watch.scope.recording().transactions
    return [(each.first, each.end, each.elapsed_ms, each.stack.site.function) for each in transactions]


@pytest.mark.parametrize("end", ["commit", "rollback", "close"])
def test_long_transactions(engine, watch, clock, end):
    session = take_session(engine)
    session.scalars(select(Job)).all()
    clock.passes(ms=250)
    getattr(session, end)()
    assert long_transactions(watch) == [(0, 2, 250.0, "test_long_transactions")]
    session.close()


@pytest.mark.parametrize(
    "way", [by_session, by_block_of_a_session, by_engine, by_connection], ids=lambda way: way.__name__
)
def test_short_transactions_are_not_kept(engine, watch, clock, way):
    way(engine)
    clock.passes(ms=250)
    way(engine)
    assert long_transactions(watch) == []


def test_the_bound_of_long_transactions(engine, watch, clock):
    for ms in (99, 100, 101):
        with engine.begin() as connection:
            connection.execute(select(Job))
            clock.passes(ms=ms)
    assert [elapsed for _, _, elapsed, _ in long_transactions(watch)] == [100.0, 101.0]
    assert [(first, end) for first, end, _, _ in long_transactions(watch)] == [(1, 2), (2, 3)]


def test_the_time_of_the_collector_is_not_the_transactions(engine, watch, clock):
    def collector(phase):
        for callback in gc.callbacks:
            if getattr(callback, "__self__", None) is watch.listeners.connections:
                callback(phase, {})

    with engine.begin() as connection:
        connection.execute(select(Job))
        clock.passes(ms=50)
        collector("start")
        clock.passes(ms=3000)
        collector("stop")
    assert long_transactions(watch) == []
    with engine.begin() as connection:
        connection.execute(select(Job))
        collector("start")
        clock.passes(ms=3000)
        collector("stop")
        clock.passes(ms=150)
    assert [elapsed for _, _, elapsed, _ in long_transactions(watch)] == [150.0]


def test_the_collector_is_watched_only_while_attached(make_watch):
    watch = make_watch()
    before = list(gc.callbacks)
    watch.start()
    assert len(gc.callbacks) == len(before) + 1
    watch.stop()
    watch.stop()
    assert gc.callbacks == before


def test_each_transaction_of_a_session_counts_by_itself(engine, watch, clock):
    with Session(engine) as session:
        for _ in range(2):
            session.add(Job())
            session.flush()
            clock.passes(ms=60)
            session.commit()
    assert long_transactions(watch) == []


async def test_long_async_transactions(async_engine, watch, clock):
    async with AsyncSession(async_engine) as session:
        await session.scalars(select(Job))
        clock.passes(ms=120)
        await session.commit()
    assert long_transactions(watch) == [(0, 1, 120.0, "test_long_async_transactions")]


def test_transactions_that_another_scope_began(engine, watch, clock):
    session = take_session(engine)
    clock.passes(ms=500)
    watch.recorder.open(call := Scope("the test", "call"))
    session.commit()
    assert (long_transactions(watch), call.transactions) == ([], [])
    session.close()


@pytest.mark.parametrize("paused", [(True, True), (True, False), (False, True)])
def test_transactions_that_paused_scopes_begin_or_end(engine, watch, clock, paused):
    watch.scope.is_paused, is_paused_at_end = paused
    connection = take(engine)
    clock.passes(ms=500)
    watch.scope.is_paused = is_paused_at_end
    connection.commit()
    connection.close()
    assert long_transactions(watch) == []


def test_two_recorders_tell_the_same(engine, make_watch, clock):
    watches = [make_watch(), make_watch()]
    for watch in watches:
        watch.start()
    connection = take(engine)
    clock.passes(ms=150)
    connection.commit()
    told = [(long_transactions(each), commits(each), open_in(each)) for each in watches]
    function = "test_two_recorders_tell_the_same"
    assert told[0] == told[1] == ([(0, 1, 150.0, function)], [(1, function)], ["take"])
    connection.close()


def expires_by_commit(session, customer):
    session.commit()


def expires_by_rollback(session, customer):
    session.rollback()


def expires_one(session, customer):
    session.expire(customer)


def expires_a_column(session, customer):
    session.expire(customer, ["name"])


def expires_all(session, customer):
    session.expire_all()


EXPIRIES = {
    expires_by_commit: Mark.COMMIT, expires_by_rollback: Mark.ROLLBACK, expires_one: Mark.EXPIRE,
    expires_a_column: Mark.EXPIRE, expires_all: Mark.EXPIRE,
}  # fmt: skip


@pytest.mark.parametrize("expires", EXPIRIES, ids=lambda each: each.__name__)
def test_what_expired_an_instance(engine, watch, expires):
    with Session(engine) as session:
        customers = session.scalars(select(Customer)).all()
        expires(session, customers[0])
        assert customers[0].name == "customer0"
    expired_at = watch.statements[1].call.expired_at
    assert (expired_at.site.function, bool(expired_at.marks & EXPIRIES[expires])) == (expires.__name__, True)


@pytest.mark.parametrize("first", EXPIRIES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("second", EXPIRIES, ids=lambda each: each.__name__)
def test_the_last_expiry_is_named(engine, watch, first, second):
    with Session(engine) as session:
        customer = session.scalars(select(Customer)).first()
        first(session, customer)
        assert customer.name
        second(session, customer)
        assert customer.name
    assert watch.statements[-1].call.expired_at.site.function == second.__name__


def test_a_refresh_expires_nothing(engine, watch):
    with Session(engine) as session:
        customer = session.scalars(select(Customer)).first()
        expires_one(session, customer)
        assert customer.name
        session.refresh(customer)
        session.refresh(customer, ["name"])
    assert {statement.call.expired_at.site.function for statement in watch.statements[1:]} == {"expires_one"}


def test_a_commit_that_keeps_instances_fresh_is_not_named(engine, watch):
    with Session(engine, expire_on_commit=False) as session:
        customer = session.scalars(select(Customer)).first()
        session.commit()
        assert (customer.name, watch.count) == ("customer0", 1)
        expires_one(session, customer)
        session.commit()
        assert customer.name
    assert watch.statements[-1].call.expired_at.site.function == "expires_one"


def test_each_session_has_expiries_of_its_own(engine, watch):
    with Session(engine) as one, Session(engine) as other:
        customers = [session.get(Customer, 1) for session in (one, other)]
        expires_one(one, customers[0])
        expires_all(other, customers[1])
        assert [customer.name for customer in customers] == ["customer0"] * 2
    functions = [statement.call.expired_at.site.function for statement in watch.statements[2:]]
    assert functions == ["expires_one", "expires_all"]


async def test_async_expiry(async_engine, watch):
    async with AsyncSession(async_engine) as session:
        customer = await session.get(Customer, 1)
        await session.commit()
        await session.run_sync(lambda _: customer.name)
    expired_at = watch.statements[1].call.expired_at
    assert (expired_at.site.function, bool(expired_at.marks & Mark.COMMIT)) == ("test_async_expiry", True)


def test_a_session_that_is_gone_is_forgotten(engine, watch):
    with Session(engine) as session:
        session.get(Customer, 1)
        session.commit()
    assert len(watch.recorder.expired_at) == 1
    del session
    gc.collect()
    assert len(watch.recorder.expired_at) == 0


def test_statements_of_transactions_are_none(engine, watch):
    with engine.connect() as connection:
        connection.execute(text("SAVEPOINT mine"))
        connection.execute(text("RELEASE mine"))
        connection.commit()
    assert (watch.count, commits(watch)) == (0, [(0, "test_statements_of_transactions_are_none")])
