"""A server that froze, ended the connection, or went away is found before a caller has the connection, in time."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from pytest_dbguard.runtime.pools.liveness import FrozenPeer, check
from pytest_dbguard.runtime.pools.policy import PoolPolicy
from pytest_dbguard.runtime.pools.queue_pool import AsyncGuardedQueuePool, GuardedQueuePool
from tests.runtime.pools.fakes import FakeConnection

# long enough for a machine that is busy with other tests, where a server answers
POLICY = PoolPolicy(check_after_idle_s=0, check_timeout_s=1.0, connect_timeout_s=3)
QUERY = text("SELECT 1")
ASYNC_DRIVERS = ["psycopg", "asyncpg"]


@pytest.fixture
def make_engine(told):
    made = []

    def make(url, **options):
        engine = create_engine(
            url,
            poolclass=GuardedQueuePool,
            pool_size=3,
            policy=POLICY,
            connect_args={"connect_timeout": 3},
            **options,
        )
        engine.pool.stats.on_event = told
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.dispose()


@pytest.fixture
async def make_async_engine(told):
    made = []

    def make(url, driver, **options):
        # no TLS: asking for it is another round trip, which a frozen peer holds up in the same way
        connect_args = {"ssl": False} if driver == "asyncpg" else {"connect_timeout": 10}
        engine = create_async_engine(
            url.set(drivername=f"postgresql+{driver}"),
            poolclass=AsyncGuardedQueuePool,
            pool_size=3,
            policy=POLICY,
            connect_args=connect_args,
            **options,
        )
        engine.pool.stats.on_event = told
        made.append(engine)
        return engine

    yield make
    for engine in made:
        await engine.dispose()


def warm(engine, count=3):
    held = [engine.connect() for _ in range(count)]
    for each in held:
        each.scalar(QUERY)
    for each in held:
        each.close()


async def warm_async(engine, count=3):
    held = [await engine.connect() for _ in range(count)]
    for each in held:
        await each.scalar(QUERY)
    for each in held:
        await each.close()


def figures(engine):
    return engine.pool.stats.snapshot()


@pytest.mark.parametrize("driver", ["psycopg"])
def test_a_living_connection_is_kept(make_engine, postgres, driver):
    engine = make_engine(postgres.url)
    for _ in range(5):
        warm(engine, 1)
    assert figures(engine).connected == 1


def test_a_connection_that_the_server_ended_is_replaced(make_engine, postgres):
    engine = make_engine(postgres.url)
    warm(engine)
    postgres.terminate_all()
    warm(engine)
    assert figures(engine).closed == {"dead": 3}


def test_a_restarted_server_costs_no_request(make_engine, postgres):
    engine = make_engine(postgres.url)
    warm(engine)
    postgres.restart()
    warm(engine)
    assert figures(engine).connected == 6


def test_a_reset_connection_is_replaced(make_engine, postgres, proxy):
    between = proxy(postgres)
    engine = make_engine(between.url(postgres.url))
    warm(engine, 1)
    between.drop()
    warm(engine, 1)
    assert figures(engine).closed == {"dead": 1}


def test_a_frozen_peer_fails_in_time_and_works_at_once_afterwards(make_engine, postgres, proxy, told):
    """With `pool_pre_ping` this hangs for as long as the peer is frozen."""
    between = proxy(postgres)
    engine = make_engine(between.url(postgres.url))
    warm(engine)
    between.freeze()
    for _ in range(2):
        with pytest.raises(DBAPIError):
            engine.connect()
    assert told.actions == ["frozen"], "one answer that does not come is enough to replace all"
    between.ok()
    warm(engine)
    now = figures(engine)
    assert (now.frozen, now.in_use, now.idle) == (1, 0, 3)


def test_a_peer_that_froze_with_its_host_is_replaced(make_engine, postgres, proxy):
    between = proxy(postgres)
    engine = make_engine(between.url(postgres.url))
    warm(engine)
    between.freeze_open()
    warm(engine)
    assert figures(engine).frozen == 1


def test_evicting_is_bounded_too(make_engine, postgres, proxy, clock):
    between = proxy(postgres)
    engine = make_engine(between.url(postgres.url), clock=clock)
    warm(engine)
    engine.pool.warm = 3
    clock.move(POLICY.keepalive_s)
    assert engine.pool.evict().checked == 3
    between.freeze()
    clock.move(POLICY.keepalive_s)
    done = engine.pool.evict()
    assert (done.checked, done.closed, done.opened) == (1, 3, 0)
    between.ok()
    assert engine.pool.evict().opened == 3


def test_what_idled_away_is_found_by_the_keepalive(make_engine, postgres, clock):
    engine = make_engine(postgres.url, clock=clock)
    warm(engine)
    postgres.terminate_all()
    clock.move(POLICY.keepalive_s)
    assert engine.pool.evict().closed == 3


def test_one_dead_connection_has_the_others_asked(postgres, clock, told):
    """Not handed out unasked, though they were in use a moment ago; and not closed unasked either."""
    policy = PoolPolicy(check_after_idle_s=10)
    engine = create_engine(postgres.url, poolclass=GuardedQueuePool, policy=policy, clock=clock, pool_use_lifo=False)
    warm(engine, 2)
    with engine.connect() as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
        clock.move(11)
    postgres.terminate_all()
    with engine.connect() as connection, engine.connect() as other:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != backend
        assert other.scalar(QUERY) == 1
    assert figures(engine).closed == {"dead": 2}
    engine.dispose()


def test_an_unread_notification_is_no_harm(make_engine, postgres):
    engine = make_engine(postgres.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("LISTEN news")
    postgres.execute("NOTIFY news, 'one'")
    warm(engine, 1)
    with engine.connect() as connection:
        assert [each.payload for each in connection.connection.driver_connection.notifies(timeout=0)] == ["one"]
    assert figures(engine).connected == 1


@pytest.mark.parametrize("driver", ASYNC_DRIVERS)
async def test_a_living_connection_of_a_task_is_kept(make_async_engine, postgres, driver):
    engine = make_async_engine(postgres.url, driver)
    for _ in range(5):
        await warm_async(engine, 1)
    assert figures(engine).connected == 1


@pytest.mark.parametrize("driver", ASYNC_DRIVERS)
async def test_a_restarted_server_costs_no_task_a_request(make_async_engine, postgres, driver):
    engine = make_async_engine(postgres.url, driver)
    await warm_async(engine)
    postgres.restart()
    await warm_async(engine)
    assert figures(engine).closed == {"dead": 3}


@pytest.mark.parametrize("driver", ASYNC_DRIVERS)
async def test_a_peer_frozen_for_tasks_fails_in_time(make_async_engine, postgres, proxy, told, driver):
    between = proxy(postgres)
    engine = make_async_engine(between.url(postgres.url), driver)
    await warm_async(engine)
    between.freeze()
    for _ in range(2):
        with pytest.raises(DBAPIError, match=r"no connection could be opened within 3\.00 s"):
            await engine.connect()
    assert told.actions == ["frozen"]
    between.ok()
    await warm_async(engine)
    now = figures(engine)
    assert (now.frozen, now.in_use, now.idle) == (1, 0, 3)


@pytest.mark.parametrize("driver", ASYNC_DRIVERS)
async def test_evicting_for_tasks_is_bounded_too(make_async_engine, postgres, proxy, clock, driver):
    between = proxy(postgres)
    engine = make_async_engine(between.url(postgres.url), driver, clock=clock)
    await warm_async(engine)
    between.freeze()
    clock.move(POLICY.keepalive_s)
    done = await engine.pool.evict_async()
    assert (done.checked, done.closed) == (1, 3)
    between.ok()


class SocketDialect:
    """A dialect of a driver that blocks in `recv`, of which nothing but the socket is known."""

    name, driver, is_async = "some", "some", False

    def do_ping(self, connection):
        if connection.recv(1) == b"":
            raise OSError("the server has closed the connection")


@pytest.fixture
def ends():
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def test_a_driver_that_blocks_is_woken_when_the_time_is_over(ends):
    with pytest.raises(FrozenPeer):
        check(ends[0], SocketDialect(), ends[0], 0.05)


def test_a_driver_that_blocks_is_left_alone_when_it_answers(ends):
    ends[1].send(b"1")
    check(ends[0], SocketDialect(), ends[0], 30)
    ends[1].send(b"2")
    assert ends[0].recv(1) == b"2"


def test_what_such_a_driver_raises_comes_through(ends):
    ends[1].close()
    with pytest.raises(OSError, match="closed the connection"):
        check(ends[0], SocketDialect(), ends[0], 30)


def test_a_pool_without_an_engine_asks_nothing(make_pool, clock):
    pool = make_pool(check_after_idle_s=0)
    pool.connect().close()
    clock.move(1)
    pool.connect().close()
    assert pool.stats.snapshot().connected == 1


def test_all_of_a_frozen_peer_are_cut_off_rather_than_closed(make_pool, database, clock, monkeypatch):
    """asyncpg waits for the server to close as well, up to two seconds for each connection."""
    cut = []
    monkeypatch.setattr(FakeConnection, "terminate", lambda self: cut.append(self), raising=False)

    def freeze(*_):
        raise FrozenPeer

    pool = make_pool(3, check_after_idle_s=0)
    held = [pool.connect() for _ in range(3)]
    old = {each.dbapi_connection for each in held}
    for each in held:
        each.close()
    clock.move(1)
    monkeypatch.setattr("pytest_dbguard.runtime.pools.guarded.check", freeze)
    held = [pool.connect() for _ in range(3)]
    assert set(cut) == old
    assert pool.stats.snapshot().closed == {"frozen": 1, "replaced": 2}
    pool.drain()
    for each in held:
        each.close()
    assert set(cut) == old, "those of a server that answers are closed as usual"
