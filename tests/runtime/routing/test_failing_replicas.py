"""Replicas that go while they are read from: whoever can go on elsewhere does, within the same call."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pytest_dbguard.runtime.routing import AsyncRoutingSession, RoutingSession
from tests.runtime.routing.small_manager import Customer, Order, SmallTarget
from tests.runtime.waiting import WATCHDOG_S, eventually

COUNT = select(func.count()).select_from(Order)


@pytest.fixture
def two(small, proxy, replica):
    """Return a function that makes a manager whose second replica is reached by a proxy, which is returned too."""

    def make(**options):
        between = proxy(replica)
        manager = small(SmallTarget("readonly", "readonly-2", between.url(replica.url)), **options)
        return manager, between

    return make


@pytest.fixture
def behind_proxy(two):
    """Return a function that makes a manager whose only replica is reached by a proxy."""

    def make(**options):
        manager, between = two(**options)
        first, _, third = manager.settings.all_targets
        manager.settings.all_targets = (first, third)
        manager.replicas = type(manager.replicas)(manager)
        return manager, between

    return make


def used(manager, name="readonly-2", query=None):
    """Read until a server is read from, so that it is known and a connection is open."""

    def reads():
        with RoutingSession(manager) as session:
            assert session.scalar(COUNT if query is None else query) in (1, 2)
        return manager.where() == [name]

    eventually(reads, "a read of the replica")


async def used_async(manager, name="readonly-2"):
    async with asyncio.timeout(WATCHDOG_S):
        while True:
            async with AsyncRoutingSession(manager) as session:
                assert await session.scalar(COUNT) == 2
            if manager.where() == [name]:
                return


def drop_pooled(manager):
    manager.engine("readonly", target="readonly-2").dispose()


def test_a_replica_that_refuses_is_left_within_the_same_call(behind_proxy):
    manager, between = behind_proxy()
    used(manager)
    drop_pooled(manager)
    between.refuse()
    with RoutingSession(manager) as session:
        assert session.scalar(COUNT) == 2
        assert session.scalars(select(Customer.name)).all() == ["one"]
    assert manager.where() == ["primary", "primary"]
    assert manager.replicas.states()[0].failures == 1


@pytest.mark.parametrize("way", ["refuse", "reset"])
async def test_a_replica_that_refuses_is_left_within_the_same_asynchronous_call(behind_proxy, async_driver, way):
    manager, between = behind_proxy(async_driver=async_driver)
    await used_async(manager)
    await manager.async_engine("readonly", target="readonly-2").dispose()
    getattr(between, way)()
    async with AsyncRoutingSession(manager) as session:
        assert await session.scalar(COUNT) == 2
    assert manager.where() == ["primary"]


def test_the_other_replica_takes_over(two):
    manager, between = two()
    used(manager)
    drop_pooled(manager)
    between.refuse()
    for _ in range(30):
        with RoutingSession(manager) as session:
            assert session.scalar(COUNT) == 2
    assert set(manager.where()) == {"readonly-1"}


def test_a_first_read_that_breaks_off_is_sent_elsewhere(behind_proxy):
    manager, between = behind_proxy()
    used(manager)
    between.drop()
    with RoutingSession(manager) as session:
        assert session.get_one(Customer, 1).name == "one"
        assert session.scalar(COUNT) == 2
    assert manager.where() == ["readonly-2", "primary", "primary"]


async def test_a_first_asynchronous_read_that_breaks_off_is_sent_elsewhere(behind_proxy, async_driver):
    manager, between = behind_proxy(async_driver=async_driver)
    await used_async(manager)
    between.drop()
    async with AsyncRoutingSession(manager) as session:
        assert (await session.get_one(Customer, 1)).name == "one"
        assert await session.scalar(COUNT) == 2
        await session.commit()
    assert manager.where()[-2:] == ["primary", "primary"]


def test_a_later_read_that_breaks_off_is_not(behind_proxy):
    manager, between = behind_proxy()
    with RoutingSession(manager) as session:
        assert session.scalar(COUNT) == 2
        between.drop()
        with pytest.raises(DBAPIError) as caught:
            session.scalar(COUNT)
        assert caught.value.connection_invalidated
        session.rollback()
        assert session.scalar(COUNT) == 2


def test_a_read_that_breaks_off_in_a_savepoint_is_not(behind_proxy):
    manager, between = behind_proxy()
    used(manager)
    between.drop()
    with RoutingSession(manager) as session:
        with pytest.raises(DBAPIError), session.begin_nested():
            session.scalar(COUNT)
        session.rollback()
        assert session.scalar(COUNT) == 2


@pytest.mark.parametrize("way", ["drop", "refuse", "reset"])
def test_what_is_written_is_committed_though_the_replica_has_gone(behind_proxy, postgres, way):
    manager, between = behind_proxy()
    with RoutingSession(manager) as session:
        assert session.scalar(COUNT) == 2
        session.execute(delete(Order))
        getattr(between, way)()
        session.commit()
        between.ok()
    assert postgres.scalar("SELECT count(*) FROM routed_order") == 0
    assert manager.engine("readonly", target="readonly-2").pool.checkedout() == 0


async def test_what_is_written_in_a_task_is_committed_though_the_replica_has_gone(behind_proxy, postgres, async_driver):
    manager, between = behind_proxy(async_driver=async_driver)
    async with AsyncRoutingSession(manager) as session:
        assert await session.scalar(COUNT) == 2
        await session.execute(delete(Order))
        between.drop()
        await session.commit()
    assert postgres.scalar("SELECT count(*) FROM routed_order") == 0
    assert manager.async_engine("readonly", target="readonly-2").sync_engine.pool.checkedout() == 0


@pytest.mark.parametrize("way", ["rollback", "begin"])
def test_to_roll_back_fails_for_no_replica(behind_proxy, postgres, way):
    manager, between = behind_proxy()
    with RoutingSession(manager) as session:
        if way == "rollback":
            session.scalar(COUNT)
            session.execute(delete(Order))
            between.drop()
            session.rollback()
        else:
            with pytest.raises(KeyError), session.begin():
                session.scalar(COUNT)
                session.execute(delete(Order))
                between.drop()
                raise KeyError
        assert session.scalar(COUNT) == 2
    assert manager.engine().pool.checkedout() == 0


def test_a_read_that_is_in_the_way_of_replay_is_sent_to_primary(small, postgres, replica):
    manager = small()
    used(manager, "readonly-1")
    original = manager.engine("readonly", target="readonly-1").dialect.do_execute

    def cancelled(cursor, statement, parameters, context=None):
        original(cursor, "DO $$BEGIN RAISE SQLSTATE '40001'; END$$", {}, context)

    manager.engine("readonly", target="readonly-1").dialect.do_execute = cancelled
    with RoutingSession(manager) as session:
        assert session.scalar(COUNT) == 2
        session.commit()
    assert manager.where() == ["readonly-1", "primary"]
    assert manager.replicas.states()[0].failures == 0


def test_an_error_of_the_statement_itself_is_raised(small):
    manager = small()
    with RoutingSession(manager) as session, pytest.raises(DBAPIError, match="division by zero"):
        session.scalar(select(Order.id / 0))
    assert manager.where() == ["readonly-1"]


def test_what_a_used_up_pool_cannot_take_primary_does_not_get_on_top(small):
    manager = small()
    manager.options["readonly-1"] = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.01}
    with RoutingSession(manager) as session:
        session.scalar(COUNT)
        with RoutingSession(manager) as other, pytest.raises(PoolTimeoutError):
            other.scalar(COUNT)
    assert manager.where() == ["readonly-1"]
    assert manager.replicas.states()[0].failures == 0


def test_a_lazy_load_without_a_greenlet_is_told_as_ever(small):
    from sqlalchemy.exc import MissingGreenlet

    manager = small()
    session = AsyncRoutingSession(manager)
    with pytest.raises(MissingGreenlet):
        session.sync_session.scalar(COUNT)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_frozen_replica_is_left_in_bounded_time(behind_proxy, is_known):
    manager, between = behind_proxy(wait_s=0.05)
    manager.options["readonly-2"] = {"connect_args": {"connect_timeout": 2}}
    if is_known:
        used(manager)
        drop_pooled(manager)
    between.freeze()
    with RoutingSession(manager) as session:
        assert session.scalar(COUNT) == 2
    assert manager.where() == ["primary"]
    between.ok()


async def test_a_frozen_replica_is_left_by_tasks_in_bounded_time(behind_proxy, async_driver):
    manager, between = behind_proxy(wait_s=0.05, async_driver=async_driver)
    between.freeze()
    async with AsyncRoutingSession(manager) as session:
        assert await session.scalar(COUNT) == 2
    assert manager.where() == ["primary"]
    between.ok()


def test_a_replica_that_was_stopped_is_read_from_again(small, replica, postgres):
    manager = small(eject_after=1, return_after_s=0.01)
    used(manager, "readonly-1")
    replica.stop()
    with RoutingSession(manager) as session:
        assert session.scalar(COUNT) == 2
    replica.start()
    manager.sent.clear()
    used(manager, "readonly-1")


def test_primary_down_leaves_reads_to_the_replica(small, replica, postgres):
    manager = small(wait_s=0.5)
    used(manager, "readonly-1")
    postgres.stop()
    for _ in range(3):
        with RoutingSession(manager) as session:
            assert session.scalar(COUNT) == 2
    with RoutingSession(manager) as session, pytest.raises(DBAPIError):
        session.execute(delete(Order))
    assert manager.where() == ["readonly-1"] * 3


def test_a_promoted_replica_is_not_taken_for_one(small, replica, postgres):
    manager = small(max_lag_s=0.04)
    used(manager, "readonly-1")
    replica.promote()
    used(manager, "primary")
    assert manager.replicas.states()[0].reason == "has become a primary of its own"


def test_positions_carry_the_timeline_of_a_promotion(small, replica, postgres):
    manager = small()
    replica.promote()
    primary, readonly = manager.settings.all_targets
    manager.settings.all_targets = (
        SmallTarget("primary", "primary", readonly.url),
        SmallTarget("readonly", "readonly-1", primary.url),
    )
    manager.replicas = type(manager.replicas)(manager)
    with RoutingSession(manager) as session:
        session.execute(delete(Order))
        session.commit()
        assert session.position.timeline == 2
        assert session.scalar(COUNT) == 0
    assert manager.where() == ["primary"]


def test_replay_that_is_paused_for_too_long_leaves_reads_to_primary(small, replica, postgres):
    manager = small(max_lag_s=0.05)
    one = text("SELECT 1").execution_options(dbguard_role="readonly")
    used(manager, "readonly-1", one)
    replica.pause()
    postgres.execute("DELETE FROM routed_order")
    used(manager, "primary", one)
    assert manager.replicas.states()[0].state == "lagging"
    replica.resume()
    used(manager, "readonly-1", one)
