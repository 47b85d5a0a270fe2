"""Where transactions end and connections are taken: each commit is told once, each connection until it is back."""

from __future__ import annotations

import gc
import threading

import pytest
from application import Base, Customer, Job, Label
from sqlalchemy import create_engine, exc, insert, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.pool import NullPool, QueuePool, SingletonThreadPool, StaticPool
from ways import by_block_of_a_session, by_connection, by_engine, by_session, commits, open_in, take, take_session

from pytest_dbguard.recording import scopes
from pytest_dbguard.recording.scopes import Scope


def by_sessionmaker(engine):
    with sessionmaker(engine).begin() as session:
        session.add(Job())


def by_scoped_session(engine):
    session = scoped_session(sessionmaker(engine))
    session.add(Job())
    session.commit()
    session.remove()


def by_transaction(engine):
    with engine.connect() as connection:
        transaction = connection.begin()
        connection.execute(insert(Job), {"state": "new"})
        transaction.commit()


def by_block_of_a_connection(engine):
    with engine.connect() as connection, connection.begin():
        connection.execute(insert(Job), {"state": "new"})


def by_session_in_an_outer_transaction(engine):
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            session.add(Job())
            session.commit()
        outer.rollback()


def by_session_that_joins_without_savepoint(engine):
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="rollback_only") as session:
            session.add(Job())
            session.commit()
        outer.rollback()


def with_savepoints(engine):
    with Session(engine) as session:
        with session.begin_nested():
            session.add(Job())
        session.begin_nested().rollback()
        session.commit()


WAYS = (
    by_session, by_block_of_a_session, by_sessionmaker, by_scoped_session, by_engine, by_connection, by_transaction,
    by_block_of_a_connection, by_session_in_an_outer_transaction, by_session_that_joins_without_savepoint,
    with_savepoints,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_commit_is_told_once(engine, watch, way):
    way(engine)
    assert commits(watch) == [(1, way.__name__)]
    way(engine)
    assert commits(watch) == [(1, way.__name__), (2, way.__name__)]


async def commit_async(engine):
    async with AsyncSession(engine) as session:
        session.add(Job())
        await session.commit()


async def begin_async(engine):
    async with AsyncSession(engine) as session, session.begin():
        session.add(Job())


async def connect_async(engine):
    async with engine.begin() as connection:
        await connection.execute(insert(Job), {"state": "new"})


async def run_sync(engine):
    async with engine.connect() as connection:
        await connection.execute(insert(Job), {"state": "new"})
        await connection.commit()


@pytest.mark.parametrize("way", [commit_async, begin_async, connect_async, run_sync], ids=lambda way: way.__name__)
async def test_each_async_commit_is_told_once(async_engine, watch, way):
    await way(async_engine)
    assert commits(watch) == [(1, way.__name__)]
    assert open_in(watch) == []


def test_a_session_of_two_engines_commits_once(engine, watch, tmp_path):
    other = create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    Base.metadata.create_all(other)
    before = watch.count
    watch.scope.commits.clear()
    with Session(binds={Job: engine, Label: other}) as session:
        session.add_all([Job(), Label(name="new")])
        session.commit()
    assert [position - before for position, _ in commits(watch)] == [2]
    other.dispose()


def test_what_ends_without_a_commit(engine, watch):
    with Session(engine) as session:
        session.add(Job())
        session.flush()
        session.rollback()
        session.add(Job())
        session.flush()
    with engine.connect() as connection:
        connection.execute(insert(Job), {"state": "new"})
    with pytest.raises(ZeroDivisionError), Session(engine) as session, session.begin():
        session.add(Job())
        session.flush()
        1 / 0
    assert (watch.count, commits(watch)) == (4, [])


def test_a_commit_that_fails_is_none(engine, watch):
    with Session(engine) as session:
        session.add(Label(id=1, name="taken"))
        with pytest.raises(exc.IntegrityError):
            session.commit()
        session.rollback()
    assert commits(watch) == []


def test_commits_of_one_place_with_statements_between(engine, watch):
    with Session(engine) as session:
        for _ in range(3):
            session.add(Job())
            session.commit()
    assert [position for position, _ in commits(watch)] == [1, 2, 3]


def test_commits_are_bounded(engine, watch, monkeypatch):
    monkeypatch.setattr(scopes, "MAX_KEPT", 2)
    for _ in range(4):
        by_session(engine)
    assert len(watch.scope.commits) == 2
    assert watch.count == 4


def test_paused_scopes_hear_nothing(engine, watch):
    watch.scope.is_paused = True
    by_session(engine)
    connection = engine.connect()
    watch.scope.is_paused = False
    assert (commits(watch), open_in(watch)) == ([], [])
    connection.close()


POOLS = {
    "queue": {"poolclass": QueuePool},
    "static": {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}},
    "null": {"poolclass": NullPool},
    "thread": {"poolclass": SingletonThreadPool},
}


@pytest.fixture(params=POOLS)
def pooled(request, database_file):
    engine = create_engine(f"sqlite:///{database_file}", **POOLS[request.param])
    yield engine
    engine.dispose()


@pytest.mark.parametrize("taker", [take, take_session], ids=lambda taker: taker.__name__)
def test_connections_are_open_until_they_are_back(pooled, watch, taker):
    taken = taker(pooled)
    assert open_in(watch) == [taker.__name__]
    taken.close()
    assert open_in(watch) == []
    again = taker(pooled)
    assert open_in(watch) == [taker.__name__]
    again.close()
    assert open_in(watch) == []


def test_two_connections(engine, watch):
    one, other = take(engine), take_session(engine)
    assert open_in(watch) == ["take", "take_session"]
    one.close()
    assert open_in(watch) == ["take_session"]
    other.close()
    assert open_in(watch) == []


def test_one_connection_of_a_thread_is_told_once(database_file, watch):
    engine = create_engine(f"sqlite:///{database_file}", poolclass=SingletonThreadPool)
    one, other = take(engine), take(engine)
    assert open_in(watch) == ["take"]
    one.close()
    other.close()
    assert open_in(watch) == []
    engine.dispose()


@pytest.mark.parametrize("end", ["commit", "rollback", "close", "invalidate"])
def test_sessions_give_back(engine, watch, end):
    session = take_session(engine)
    getattr(session, end)()
    assert open_in(watch) == []
    session.close()


def test_invalid_and_detached_connections_are_not_the_pools(engine, watch):
    invalid, detached = take(engine), take(engine)
    invalid.invalidate()
    assert open_in(watch) == ["take"]
    detached.detach()
    assert open_in(watch) == []
    invalid.close()
    detached.close()


def test_raw_connections(engine, watch):
    raw = engine.raw_connection()
    assert open_in(watch) == ["test_raw_connections"]
    raw.close()
    assert open_in(watch) == []


def test_collected_connections_are_back(engine, watch):
    taken = [take(engine), take_session(engine)]
    assert len(open_in(watch)) == 2
    taken.clear()
    gc.collect()
    assert open_in(watch) == []


def test_connections_of_threads(engine, watch):
    taken = []
    thread = threading.Thread(target=lambda: taken.append(take_session(engine)))
    thread.start()
    thread.join()
    assert open_in(watch) == ["take_session"]
    taken[0].close()
    assert open_in(watch) == []


async def test_async_connections(database_file, watch):
    engine = create_async_engine(f"sqlite+aiosqlite:///{database_file}")
    session = AsyncSession(engine)
    await session.scalars(select(Customer))
    connection = await engine.connect()
    assert open_in(watch) == ["test_async_connections"] * 2
    await session.close()
    await connection.close()
    assert open_in(watch) == []
    await engine.dispose()


def test_sessions_that_are_older_than_the_scope(engine, watch):
    """What a fixture opened closes after the test: its connection is not the application's to give back."""
    older = Session(engine)
    watch.recorder.open(scope := Scope("the test", "call"))
    older.scalars(select(Customer)).all()
    newer = take_session(engine)
    assert [stack.site.function for stack in scope.open_connections()] == ["take_session"]
    older.commit()
    older.scalars(select(Customer)).all()
    assert [stack.site.function for stack in scope.open_connections()] == ["take_session"]
    newer.close()
    assert scope.open_connections() == ()
    older.close()


def test_a_connection_that_an_outer_scope_took(engine, watch):
    connection = take(engine)
    watch.recorder.open(scope := Scope("the test", "call"))
    with Session(connection) as session:
        session.scalars(select(Customer)).all()
    assert scope.open_connections() == ()
    assert open_in(watch) == ["take"]
    connection.close()


def test_nested_scopes_have_connections_of_their_own(engine, watch):
    with watch.recorder.nested(Scope("the test", "GET /")) as request:
        connection = take(engine)
    assert [stack.site.function for stack in request.open_connections()] == ["take"]
    assert open_in(watch) == []
    connection.close()


def test_checkouts_are_bounded(engine, watch, monkeypatch):
    monkeypatch.setattr(scopes, "_MAX_CHECKOUTS", 3)
    held = take(engine)
    for _ in range(10):
        take_session(engine).close()
        assert len(watch.scope._checkouts) <= 3
    assert open_in(watch) == ["take"]
    held.close()


def test_connections_beyond_the_bound_are_not_told(engine, watch, monkeypatch):
    monkeypatch.setattr(scopes, "_MAX_CHECKOUTS", 2)
    taken = [take(engine) for _ in range(4)]
    assert open_in(watch) == ["take"] * 2
    for each in taken:
        each.close()
