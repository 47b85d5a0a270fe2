"""Routing by the manager itself: its engines, its settings, its fallbacks."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DBAPIError

from pytest_dbguard.runtime.routing.positions import trail_of
from tests.runtime.faults.clients import plain
from tests.runtime.faults.conftest import MovedClock
from tests.runtime.routing.conftest import fill
from tests.runtime.routing.small_manager import Base, Customer, Order
from tests.runtime.waiting import eventually

COUNT = select(func.count()).select_from(Order)
ON_REPLICA = select(func.pg_is_in_recovery())


@pytest.fixture
def made(manager, postgres, replica, rows):
    """Return a function that makes a manager of primary and a replica."""

    def make(**routing):
        return manager(
            profile="development",
            roles={"primary": {"url": plain(postgres.url)}, "readonly": {"replicas": [plain(replica.url)]}},
            routing={"max_lag_s": 600.0, "wait_s": 20.0, **routing},
            logging={"statements": False},
        )

    return make


def test_a_session_reads_from_the_replica_and_then_its_own_write(made):
    manager = made()
    with manager.routing_session() as session:
        assert session.scalar(ON_REPLICA)
        session.execute(delete(Order))
        assert not session.scalar(ON_REPLICA)
        session.commit()
        assert session.scalar(COUNT) == 0
        assert session.scalar(ON_REPLICA)
    assert manager.replicas.states()[0].state == "good"


async def test_an_asynchronous_session_does_too(made):
    manager = made()
    async with manager.async_routing_session() as session:
        assert await session.scalar(ON_REPLICA)
        await session.execute(delete(Order))
        assert not await session.scalar(ON_REPLICA)
        await session.commit()
        assert await session.scalar(COUNT) == 0
        assert await session.scalar(ON_REPLICA)


def write_by_session(manager):
    with manager.session() as session:
        session.execute(delete(Order))
        session.commit()


def write_by_sessionmaker(manager):
    with manager.sessionmaker().begin() as session:
        session.execute(delete(Order))


def write_in_transaction(manager):
    manager.run(lambda session: session.execute(delete(Order)))


@pytest.mark.parametrize("write", [write_by_session, write_by_sessionmaker, write_in_transaction])
def test_a_routed_session_reads_what_sessions_on_primary_have_written(made, replica, write):
    manager = made(wait_s=0.2)
    replica.pause()
    try:
        write(manager)
        with manager.routing_session() as session:
            assert session.scalar(COUNT) == 0
            assert not session.scalar(ON_REPLICA)
    finally:
        replica.resume()


@pytest.mark.parametrize("how", ["session", "sessionmaker", "run"])
async def test_asynchronous_sessions_on_primary_are_read_too(made, replica, how):
    manager = made(wait_s=0.2)

    async def write(session):
        await session.execute(delete(Order))

    replica.pause()
    try:
        if how == "run":
            await manager.run_async(write)
        else:
            async with manager.async_session() if how == "session" else manager.async_sessionmaker()() as session:
                await write(session)
                await session.commit()
        async with manager.async_routing_session() as session:
            assert await session.scalar(COUNT) == 0
    finally:
        replica.resume()


def test_a_rolled_back_session_on_primary_is_nothing_to_wait_for(made):
    manager = made()
    with manager.session() as session:
        session.execute(delete(Order))
        session.rollback()
    assert trail_of(manager) is None


def test_a_role_without_a_server_is_served_by_primary_and_may_not_write(made):
    manager = made()
    with manager.routing_session() as session, session.using("analytics"):
        session.execute(delete(Order))
        assert not session.scalar(ON_REPLICA)
        assert session.scalar(COUNT) == 2, "analytics is a transaction of its own"
        with pytest.raises(DBAPIError) as caught:
            session.execute(text("DELETE FROM routed_order"))
        assert caught.value.orig.sqlstate == "25006"


def test_without_a_readonly_role_all_goes_to_primary(manager, postgres, rows):
    alone = manager(profile="development", url=plain(postgres.url))
    with alone.routing_session() as session:
        assert session.scalar(COUNT) == 2
        session.execute(delete(Order))
        session.commit()
        assert session.scalar(COUNT) == 0
    assert alone.engine().pool.stats.snapshot().in_use == 0


def test_sqlite_in_a_file_serves_all_roles(manager, tmp_path):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    one = manager(profile="development", roles={"primary": {"url": url}, "readonly": {"url": url}})
    Base.metadata.create_all(one.engine())
    fill(one.engine())
    with one.routing_session() as session:
        customer = session.get_one(Customer, 1)
        assert len(customer.orders) == 2
        session.delete(customer.orders[0])
        session.commit()
        assert session.scalar(COUNT) == 1
        assert session.position is None


def test_sqlite_in_memory_serves_all_roles(manager):
    one = manager(profile="test")
    Base.metadata.create_all(one.engine())
    fill(one.engine())
    with one.routing_session() as session:
        session.execute(delete(Order))
        session.commit()
        assert session.scalar(COUNT) == 0


def test_serializable_primaries_are_read_from(manager, postgres, replica, rows):
    one = manager(
        profile="development",
        roles={
            "primary": {"url": plain(postgres.url), "isolation": "SERIALIZABLE"},
            "readonly": {"url": plain(replica.url)},
        },
    )
    with one.routing_session() as session:
        assert not session.scalar(ON_REPLICA)


def test_stopping_ends_what_sessions_left_and_a_stopped_manager_says_so(made):
    from pytest_dbguard.runtime.errors import NotStarted

    manager = made()
    with manager.routing_session() as session:
        assert session.scalar(ON_REPLICA)
    manager.stop(0.0)
    with pytest.raises(NotStarted):
        manager.routing_session()
    manager.start()
    with manager.routing_session() as session:
        assert session.scalar(ON_REPLICA)


def test_threads_read_their_own_writes_all_at_once(made):
    manager = made()
    wrong, rounds = [], 8

    def work(number):
        for count in range(rounds):
            with manager.routing_session() as session:
                session.add(Order(id=1000 + number * rounds + count, customer_id=1))
                session.commit()
            with manager.routing_session() as session:
                if session.get(Order, 1000 + number * rounds + count) is None:
                    wrong.append((number, count))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert wrong == []
    assert manager.engine("readonly", target="readonly-1").pool.stats.snapshot().in_use == 0


async def test_tasks_read_their_own_writes_all_at_once(made):
    manager = made()
    rounds = 4

    async def work(number):
        for count in range(rounds):
            async with manager.async_routing_session() as session:
                session.add(Order(id=1000 + number * rounds + count, customer_id=1))
                await session.commit()
            async with manager.async_routing_session() as session:
                assert await session.get(Order, 1000 + number * rounds + count) is not None

    await asyncio.gather(*(work(number) for number in range(20)))


async def test_the_role_itself_is_led_to_its_replica_from_the_first_call_on(made):
    manager = made()
    for _ in range(2):
        async with manager.async_session("readonly") as session:
            assert await session.scalar(ON_REPLICA)
        with manager.session("readonly") as session:
            assert session.scalar(ON_REPLICA)


def test_a_pool_that_is_used_up_is_not_waited_for_by_who_asks(manager, postgres, replica, rows):
    clock = MovedClock()
    one = manager(
        clock=clock,
        profile="development",
        roles={"primary": {"url": plain(postgres.url)}, "readonly": {"url": plain(replica.url)}},
        routing={"max_lag_s": 600.0, "wait_s": 0.5, "eject_after": 1},
        pool={"size": 1, "overflow": 0, "timeout_s": 600.0},
        logging={"statements": False},
    )
    with one.routing_session() as session, session.using("readonly"):
        session.scalar(text("SELECT 1"))
        for _ in range(5):
            clock.ahead_s += 5.0
            one.replicas.choose()
        assert one.engine("readonly", target="readonly-1").pool.stats.snapshot().waiting == 0
    assert one.replicas.states()[0].failures == 0


def test_events_tell_of_a_replica_that_is_left_and_taken_back(made, replica):
    manager = made(eject_after=1, return_after_s=0.01)
    told = []
    manager.events.subscribe("failover", told.append)
    replica.stop()
    with manager.routing_session() as session:
        assert not session.scalar(ON_REPLICA)
    replica.start()

    def is_back():
        with manager.routing_session() as session:
            session.scalar(COUNT)
        return any(each.reason == "takes reads again" for each in told)

    eventually(is_back, "the return of the replica")
    reasons = [each.reason for each in told if "reads" in each.reason]
    assert reasons[0] == "takes no reads any more: OperationalError (failure 1 in a row)"


def test_no_address_or_password_is_in_what_is_told(made, caplog, replica, postgres):
    manager = made(eject_after=1)
    replica.stop()
    with manager.routing_session() as session:
        session.scalar(COUNT)
    for text_of in (caplog.text, repr(manager.replicas.states())):
        assert str(replica.directory.path) not in text_of
