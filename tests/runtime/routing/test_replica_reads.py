"""Reading one's own writes from a real replica, by position: sync and async, by two drivers."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from pytest_dbguard.runtime.routing import (
    LATEST,
    AsyncRoutingSession,
    Position,
    RoutingSession,
    current_position,
    note_write,
    position_scope,
)
from pytest_dbguard.runtime.routing.positions import trail_of
from tests.runtime.routing.small_manager import Customer, Order
from tests.runtime.waiting import WATCHDOG_S

COUNT = select(func.count()).select_from(Order)


def test_a_read_after_a_commit_waits_for_the_replica(small):
    manager = small()
    with RoutingSession(manager) as session:
        for count in range(20):
            session.add(Order(id=10 + count, customer_id=1))
            session.commit()
            assert session.scalar(COUNT) == 3 + count
            session.rollback()
    assert set(manager.where()) == {"readonly-1"}


def test_a_read_goes_to_primary_when_replay_is_paused(small, replica):
    manager = small(wait_s=0.5)
    with RoutingSession(manager) as session:
        assert session.scalar(COUNT) == 2
        session.rollback()
        replica.pause()
        session.execute(delete(Order))
        session.commit()
        assert session.scalar(COUNT) == 0
        session.rollback()
        assert manager.where() == ["readonly-1", "primary"]
        replica.resume()
        replica.catch_up()
        assert session.scalar(COUNT) == 0
    assert manager.where() == ["readonly-1"]


def test_other_clients_read_from_the_replica_meanwhile(small, replica):
    manager = small(wait_s=0.5)
    replica.pause()
    with position_scope(manager), RoutingSession(manager) as session:
        session.execute(delete(Order))
        session.commit()
    with position_scope(manager), RoutingSession(manager) as session:
        assert session.scalar(COUNT) == 2
    assert manager.where() == ["readonly-1"]


def test_a_new_session_of_the_same_context_sees_the_write(small, replica):
    manager = small(wait_s=0.5)
    replica.pause()
    with RoutingSession(manager) as session:
        session.execute(delete(Order))
        session.commit()
    with RoutingSession(manager) as session:
        assert session.scalar(COUNT) == 0


def test_a_token_carries_the_position_to_another_process(small, replica):
    writer, reader = small(), small(wait_s=0.5)
    replica.pause()
    with RoutingSession(writer) as session:
        session.execute(delete(Order))
        session.commit()
        token = session.position.token()
    with position_scope(reader, token), RoutingSession(reader) as session:
        assert session.scalar(COUNT) == 0
    with position_scope(reader), RoutingSession(reader) as session:
        assert session.scalar(COUNT) == 2
    assert reader.where() == ["primary", "readonly-1"]


@pytest.mark.parametrize("end", ["rollback", "close"])
def test_what_is_rolled_back_has_no_position(small, end):
    manager = small()
    with RoutingSession(manager) as session:
        session.execute(delete(Order))
        getattr(session, end)()
        assert session.position is None
    assert trail_of(manager) is None


def test_what_only_reads_has_no_position(small):
    manager = small()
    with RoutingSession(manager) as session:
        session.scalars(select(Order)).all()
        session.commit()
        with session.using("primary"):
            session.scalars(select(Order)).all()
        session.commit()
        assert session.position is None


def test_a_savepoint_that_is_released_has_no_position_before_the_commit(small, postgres):
    manager = small()
    with RoutingSession(manager) as session:
        with session.begin_nested():
            session.execute(delete(Order))
        assert session.position is None
        before = Position.of_lsn(postgres.scalar("SELECT pg_current_wal_insert_lsn()"))
        session.commit()
        assert session.position.lsn > before.lsn
        assert session.position.timeline == 1


def test_the_position_is_beyond_the_commit_also_when_nobody_waits_for_the_disk(small, postgres):
    manager = small()
    manager.options["primary"] = {"connect_args": {"options": "-c synchronous_commit=off"}}
    with RoutingSession(manager) as session:
        for count in range(5):
            session.add(Order(id=10 + count, customer_id=1))
            session.commit()
            assert session.scalar(COUNT) == 3 + count
            session.rollback()
    assert set(manager.where()) == {"readonly-1"}


def test_the_position_costs_one_round_trip_and_no_transaction(small, postgres):
    manager = small()
    with RoutingSession(manager) as session:
        session.execute(delete(Order))
        session.commit()
        pool = manager.engine().pool
        with manager.engine().connect() as connection:
            assert connection.connection.driver_connection.info.transaction_status.name == "IDLE"
        assert pool.checkedout() == 0


def test_a_role_without_privileges_is_told_enough(small, postgres, replica):
    postgres.execute("CREATE ROLE routed_client LOGIN")
    postgres.execute("GRANT ALL ON routed_order TO routed_client")
    replica.catch_up()
    manager = small()
    manager.settings.all_targets = tuple(
        replace(target, url=target.url.set(username="routed_client")) for target in manager.settings.all_targets
    )
    try:
        with RoutingSession(manager) as session:
            assert session.scalar(COUNT) == 2
            session.execute(delete(Order))
            session.commit()
            assert session.position.timeline == 1
            assert session.scalar(COUNT) == 0
        assert manager.where() == ["readonly-1", "readonly-1"]
    finally:
        manager.close()
        postgres.execute("DROP OWNED BY routed_client")
        postgres.execute("DROP ROLE routed_client")


def test_a_commit_whose_position_nobody_tells_is_still_one(small, monkeypatch, postgres):
    manager = small(wait_s=5.0)
    monkeypatch.setattr("pytest_dbguard.runtime.routing.taking.COMMIT_QUERY", "SELECT 1 / 0")
    with RoutingSession(manager) as session:
        session.execute(delete(Order))
        session.commit()
        assert session.position is LATEST
        assert session.scalar(COUNT) == 0
    assert postgres.scalar("SELECT count(*) FROM routed_order") == 0
    assert manager.where() == ["readonly-1"]


def test_statements_that_are_committed_each_by_itself_have_a_position(small, replica):
    manager = small(wait_s=0.5)
    replica.pause()
    with RoutingSession(manager) as session:
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        session.execute(delete(Order))
    with RoutingSession(manager) as session:
        assert session.scalar(COUNT) == 0


def test_writes_that_sql_hides_go_to_primary(small, postgres):
    manager = small()
    postgres.execute("CREATE SEQUENCE IF NOT EXISTS routed_numbers")
    with RoutingSession(manager) as session:
        session.scalar(select(func.nextval("routed_numbers")))
        session.rollback()
        session.scalar(select(func.pg_advisory_xact_lock(1)))
        session.rollback()
        session.execute(select(insert(Order).values(id=99, customer_id=1).returning(Order.id).cte())).all()
        session.rollback()
        session.execute(select(Customer.id).add_cte(delete(Order).cte("gone"))).all()
        session.rollback()
        session.execute(select(Order.id).where(func.pg_catalog.pg_sleep(0).is_(None))).all()
        session.rollback()
        session.execute(select(Order.id).suffix_with("FOR UPDATE")).all()
    assert {target for target, _ in manager.sent} == {"primary"}
    postgres.execute("DROP SEQUENCE routed_numbers")


def test_a_write_past_the_session_is_noted_by_hand(small, replica):
    manager = small(wait_s=0.5)
    replica.pause()
    with manager.engine().begin() as connection:
        connection.execute(delete(Order))
    with position_scope(manager), RoutingSession(manager) as session:
        assert session.scalar(COUNT) == 2
        session.rollback()
        note_write(manager)
        assert session.scalar(COUNT) == 0
        session.rollback()
        replica.resume()
        replica.catch_up()
        assert session.scalar(COUNT) == 0
    assert manager.where() == ["readonly-1", "primary", "readonly-1"]


@pytest.mark.parametrize("kind", ["note", "session"])
def test_primary_is_asked_once_for_a_commit_without_a_position(small, monkeypatch, kind):
    manager = small(wait_s=5.0, max_lag_s=1000.0)
    asked, run = [], manager.replicas._probes.run
    monkeypatch.setattr(
        manager.replicas._probes,
        "run",
        lambda questions, s: (asked.extend(each.role for each in questions), run(questions, s)),
    )
    if kind == "session":
        monkeypatch.setattr("pytest_dbguard.runtime.routing.taking.COMMIT_QUERY", "SELECT 1 / 0")
    with position_scope(manager) as trail, RoutingSession(manager) as session:
        session.scalar(COUNT)
        session.rollback()
        asked.clear()
        if kind == "note":
            note_write(manager)
        else:
            session.execute(delete(Order))
            session.commit()
        for _ in range(5):
            session.scalar(COUNT)
            session.rollback()
            with RoutingSession(manager) as other:
                other.scalar(COUNT)
        assert asked.count("primary") == 1
        assert trail.told < LATEST


def test_the_replica_refuses_what_is_passed_off_as_a_read(small):
    from sqlalchemy.exc import DBAPIError

    manager = small()
    with RoutingSession(manager) as session, session.using("readonly"), pytest.raises(DBAPIError) as caught:
        session.execute(text("DELETE FROM routed_order"))
    assert caught.value.orig.sqlstate == "25006"


def test_threads_know_of_their_own_writes_only_unless_one_request_started_them(small, replica):
    manager = small(wait_s=0.5)
    replica.pause()
    counts = {}

    def write():
        with RoutingSession(manager) as session:
            session.execute(delete(Order))
            session.commit()
            counts["writer"] = session.scalar(COUNT)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    with RoutingSession(manager) as session:
        counts["other"] = session.scalar(COUNT)
    assert counts == {"writer": 0, "other": 2}
    assert current_position.get() is None


async def test_an_asynchronous_session_reads_its_own_writes(small, replica, async_driver):
    manager = small(async_driver=async_driver)
    async with AsyncRoutingSession(manager) as session:
        for count in range(10):
            session.add(Order(id=10 + count, customer_id=1))
            await session.commit()
            assert session.position.timeline == 1
            assert await session.scalar(COUNT) == 3 + count
            await session.rollback()
    assert set(manager.where()) == {"readonly-1"}


async def test_an_asynchronous_read_goes_to_primary_when_replay_is_paused(small, replica, async_driver):
    manager = small(async_driver=async_driver, wait_s=0.5)
    replica.pause()
    async with AsyncRoutingSession(manager) as session:
        await session.execute(update(Customer).values(name="x"))
        await session.commit()
        customer = await session.get_one(Customer, 1)
        assert customer.name == "x"
        with session.using("readonly"):
            await session.stream(select(Order))
    assert set(manager.where()) == {"primary"}


async def test_tasks_of_one_request_see_what_each_has_written(small, replica, async_driver):
    manager = small(async_driver=async_driver, wait_s=0.5)
    replica.pause()

    async def write():
        async with AsyncRoutingSession(manager) as session:
            await session.execute(delete(Order))
            await session.commit()

    async def count():
        async with AsyncRoutingSession(manager) as session:
            return await session.scalar(COUNT)

    with position_scope(manager):
        await asyncio.create_task(write())
        assert await count() == 0
        assert await asyncio.create_task(count()) == 0
    assert await count() == 2


async def test_what_a_task_writes_its_thread_knows_and_the_other_way_round(small, replica, async_driver):
    manager = small(async_driver=async_driver, wait_s=0.5)
    replica.pause()

    def write():
        with RoutingSession(manager) as session:
            session.execute(delete(Order))
            session.commit()

    with position_scope(manager):
        await asyncio.to_thread(write)
        async with AsyncRoutingSession(manager) as session:
            assert await session.scalar(COUNT) == 0


async def test_a_task_that_is_cancelled_gives_its_connections_back(small, async_driver):
    manager = small(async_driver=async_driver)

    async def read():
        async with AsyncRoutingSession(manager) as session:
            await session.scalar(COUNT)
            with session.using("readonly"):
                await session.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(read())
    async with asyncio.timeout(WATCHDOG_S):
        while ("readonly-1", "SELECT") not in manager.sent[1:]:
            await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert manager.async_engine("readonly", target="readonly-1").sync_engine.pool.checkedout() == 0
    async with AsyncRoutingSession(manager) as session:
        assert await session.scalar(COUNT) == 2


async def test_a_coroutine_chooses_for_itself(small, replica, postgres, async_driver):
    manager = small(async_driver=async_driver, wait_s=0.5)
    assert await manager.replicas.choose_async() == "readonly-1"
    assert await manager.replicas.choose_async(without=["readonly-1"]) is None
    replica.pause()
    postgres.execute("DELETE FROM routed_order")
    written = Position.of_lsn(postgres.scalar("SELECT pg_current_wal_insert_lsn()::text"), timeline=1)
    assert await manager.replicas.choose_async(written) is None
    replica.resume()
    assert await manager.replicas.choose_async(written) == "readonly-1"


async def test_a_server_that_tells_no_position_is_read_from_by_who_has_not_written(small, monkeypatch, async_driver):
    monkeypatch.setattr("pytest_dbguard.runtime.routing.probes.SAMPLE_QUERY", "SELECT 1 / 0")
    manager = small(async_driver=async_driver, wait_s=5.0)
    assert await manager.replicas.choose_async() == "readonly-1"
    assert await manager.replicas.choose_async(Position(1)) is None
    assert await asyncio.to_thread(manager.replicas.choose) == "readonly-1"


async def test_a_pool_that_is_used_up_is_not_waited_for_by_who_asks(small, async_driver):
    manager = small(async_driver=async_driver, max_lag_s=0.04)
    manager.options["readonly-1"] = {"pool_size": 1, "max_overflow": 0}
    async with AsyncRoutingSession(manager) as session:
        with session.using("readonly"):
            await session.scalar(text("SELECT 1"))
        async with asyncio.timeout(WATCHDOG_S):
            await manager.replicas.choose_async()
        assert manager.replicas.states()[0].failures == 0
