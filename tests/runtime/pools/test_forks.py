"""A forked child has a pool of its own making, and its parent's sessions go on."""

from __future__ import annotations

import os
import threading
import traceback
from contextlib import closing

import pytest
from sqlalchemy import create_engine, text

from pytest_dbguard.runtime.pools.keeper import Keeper
from pytest_dbguard.runtime.pools.policy import PoolPolicy
from pytest_dbguard.runtime.pools.queue_pool import GuardedQueuePool
from tests.runtime.pools.fakes import Caller
from tests.runtime.waiting import WATCHDOG_S, eventually

# what is tested is just that
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
BACKEND = text("SELECT pg_backend_pid()")


def in_child(call):
    """Run in a forked child that leaves as a worker does, without pytest's ends; fail with what it raised."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            call()
            status = 0
        except BaseException:
            os.write(writer, traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        text_of_child = told.read().decode()
    _, status = os.waitpid(child, 0)
    assert status == 0, text_of_child


@pytest.fixture
def engine(postgres):
    made = create_engine(postgres.url, poolclass=GuardedQueuePool, pool_size=2, max_overflow=0, policy=PoolPolicy())
    yield made
    made.dispose()


def test_a_child_opens_connections_of_its_own(engine):
    with engine.connect() as connection:
        parents = connection.scalar(BACKEND)

    def child():
        figures = engine.pool.stats.snapshot()
        assert (figures.connected, figures.idle, figures.use.count) == (0, 0, 0)
        with engine.connect() as connection:
            assert connection.scalar(BACKEND) != parents
        engine.dispose()

    in_child(child)
    with engine.connect() as connection:
        assert connection.scalar(BACKEND) == parents
    assert engine.pool.stats.snapshot().connected == 1


def test_what_the_parent_holds_survives_a_child_that_unwinds(engine):
    """A worker that ends by `sys.exit` leaves the `with` blocks around its start: they must not roll back for it."""
    with engine.connect() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE mine (value int)"))
        connection.execute(text("INSERT INTO mine VALUES (1)"))

        def child():
            connection.close()
            figures = engine.pool.stats.snapshot()
            assert (figures.in_use, figures.idle) == (0, 0)
            with engine.connect() as own:
                own.scalar(BACKEND)

        in_child(child)
        assert connection.scalar(text("SELECT count(*) FROM mine")) == 1


def test_a_child_works_when_another_thread_held_the_lock(make_pool):
    pool = make_pool(1)
    pool.connect().close()
    held, release = threading.Event(), threading.Event()

    def hold():
        with pool.stats.lock:
            held.set()
            release.wait()

    holder = Caller(hold)
    assert held.wait(WATCHDOG_S)
    in_child(lambda: pool.connect().close())
    release.set()
    holder.outcome()


def test_a_child_owes_nothing_to_those_who_waited_in_the_parent(make_pool):
    pool = make_pool(1, max_waiting=1)
    held = pool.connect()
    caller = Caller(pool.connect)
    eventually(lambda: pool.stats.snapshot().waiting == 1)

    def child():
        assert pool.stats.snapshot().waiting == 0
        with closing(pool.connect()):
            assert pool.stats.snapshot().in_use == 1
        held.close()
        assert pool.stats.snapshot().in_use == 0

    in_child(child)
    held.close()
    caller.outcome().close()


def test_a_pool_that_refused_still_does_in_a_child(make_pool):
    pool = make_pool(1)
    pool.refuse()

    def child():
        assert pool.slots.is_refusing

    in_child(child)


def test_the_keeper_of_a_child_starts_with_its_first_connection(make_pool):
    pool = make_pool(1)
    keeper = Keeper(every_s=0.001)
    keeper.watch(pool.stats)
    pool.warm_up(1)
    with keeper:
        eventually(lambda: keeper.is_running)

        def child():
            assert not keeper.is_running
            pool.connect().close()
            assert keeper.is_running
            assert keeper.stop()

        in_child(child)
        assert keeper.is_running
    assert not keeper.is_running
