"""SQLAlchemy issue 13301: a listener must not change how a program loads; counts are the same with and without us."""

from __future__ import annotations

import pytest
from application import Customer, Item, Order
from sqlalchemy import event, exc, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, joinedload, selectinload, subqueryload

from pytest_dbguard.recording.leaks import has_leak, without_leak

NESTED = selectinload(Customer.orders).selectinload(Order.items)


def streamed(session):
    stmt = select(Customer).options(NESTED).execution_options(yield_per=3)
    return [len(order.items) for customer in session.scalars(stmt) for order in customer.orders]


def in_parts(session):
    stmt = select(Order).options(selectinload(Order.items).joinedload(Item.product)).order_by(Order.id)
    result = session.scalars(stmt.execution_options(yield_per=2))
    return [[len(order.items) for order in part] for part in result.partitions()]


def legacy(session):
    query = session.query(Customer).options(NESTED).order_by(Customer.id).yield_per(2)
    return [customer.id for customer in query if customer.orders]


def without_autoflush(session):
    session.add(Customer(name="pending"))
    stmt = select(Customer).options(NESTED).execution_options(autoflush=False)
    return len(session.scalars(stmt).all())


def by_many_parents(session):
    """More parents than one `IN` of selectinload holds, in batches of one."""
    stmt = select(Item).options(selectinload(Item.order).selectinload(Order.customer)).execution_options(yield_per=1)
    return [item.order.customer.name for item in session.scalars(stmt)]


def subqueries(session):
    stmt = select(Customer).options(subqueryload(Customer.orders), joinedload(Customer.profile)).order_by(Customer.id)
    return [(customer.profile.bio, len(customer.orders)) for customer in session.scalars(stmt)]


PROGRAMS = (streamed, in_parts, legacy, without_autoflush, by_many_parents, subqueries)


@pytest.fixture
def sent(engine):
    """The statements that the driver gets, by a listener that has nothing to do with ours."""
    texts = []

    @event.listens_for(engine, "before_cursor_execute")
    def keep(conn, cursor, statement, parameters, context, executemany):
        texts.append((statement, parameters))

    return texts


def outcome(engine, sent, program):
    sent.clear()
    with Session(engine) as session:
        value = program(session)
    return value, list(sent)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_the_same_statements_with_and_without_us(engine, sent, make_watch, program):
    before = outcome(engine, sent, program)
    watch = make_watch()
    watch.start()
    assert outcome(engine, sent, program) == before
    watch.stop()
    assert watch.count == len(before[1])
    assert watch.recorder.faults == []


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
async def test_the_same_statements_by_an_async_driver(async_engine, make_watch, program):
    counts = []
    for is_watched in (False, True):
        watch = make_watch()
        texts = []
        listener = lambda conn, cursor, statement, *rest, texts=texts: texts.append(statement)  # noqa: E731
        event.listen(async_engine.sync_engine, "before_cursor_execute", listener)
        if is_watched:
            watch.start()
        async with AsyncSession(async_engine) as session:
            value = await session.run_sync(program)
        counts.append((value, texts))
        event.remove(async_engine.sync_engine, "before_cursor_execute", listener)
    assert counts[0] == counts[1]
    assert watch.count == len(texts)


def test_the_probe_agrees_with_what_happens(engine):
    """Where options leak, a listener that does nothing makes the program fail."""

    def listen(state):
        return None

    event.listen(Session, "do_orm_execute", listen)
    try:
        with Session(engine) as session:
            streamed(session)
        fails = False
    except exc.InvalidRequestError:
        fails = True
    finally:
        event.remove(Session, "do_orm_execute", listen)
    assert fails == has_leak()


class State:
    local_execution_options = {"yield_per": 3, "autoflush": False, "mine": 1}


def test_only_what_leaks_is_taken_out():
    state = State()
    without_leak(state)
    assert state.local_execution_options == {"mine": 1}
    untouched = state.local_execution_options
    without_leak(state)
    assert state.local_execution_options is untouched
