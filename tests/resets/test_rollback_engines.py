"""Which engines take part in a rollback, and in what state they are left."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, SingletonThreadPool, StaticPool

from pytest_dbguard.databases.engines import make_async_engine, make_engine
from tests.resets.items import COUNT, INSERT, insert, insert_in_loop


@pytest.mark.parametrize("pool", [NullPool, StaticPool, SingletonThreadPool])
def test_pools_and_dialects_are_restored(router, reset, database, pool):
    engine = make_engine(database, poolclass=pool)
    router.bind(engine)
    before = engine.pool, dict(vars(engine.dialect))
    reset.begin()
    insert(engine, "gone")
    assert engine.pool is not before[0]
    engine.dispose()
    with engine.connect() as connection:
        assert connection.scalar(COUNT) == 2
    reset.end()
    assert engine.pool is before[0]
    after = dict(vars(engine.dialect))
    assert {key: after[key] for key in before[1] if key.startswith("do_")} == {
        key: value for key, value in before[1].items() if key.startswith("do_")
    }
    assert not {key for key in after if key.startswith(("do_", "set_iso"))} - before[1].keys()
    insert(engine, "stays")
    assert database.rows() == 2


@pytest.mark.parametrize("is_async", [False, True])
def test_nothing_is_kept_of_an_engine_that_has_gone(engine, router, reset, database, is_async):
    reset.begin()
    gone = make_async_engine(database) if is_async else make_engine(database)
    pool = getattr(gone, "sync_engine", gone).pool
    router.bind(gone)
    if is_async:
        asyncio.run(insert_in_loop(gone, "gone"))
    else:
        insert(gone, "gone")
    router.unbind(gone)
    assert getattr(gone, "sync_engine", gone).pool.__class__ is pool.__class__
    insert(engine, "new")
    reset.end()
    assert database.rows() == 1
    weak = weakref.ref(gone)
    del gone, pool
    gc.collect()
    assert weak() is None
    reset.begin()
    insert(engine, "new")
    reset.end()
    assert database.rows() == 1


def test_an_engine_takes_the_place_of_one_that_has_gone(router, reset, database):
    reset.begin()
    for number in range(3):
        each = make_engine(database)
        router.bind(each)
        with each.connect() as connection:
            assert connection.scalar(COUNT) == 1 + number
        insert(each, f"new {number}")
        router.unbind(each)
        each.dispose()
    reset.end()
    assert database.rows() == 1


def test_an_engine_that_is_bound_during_the_test_takes_part(engine, router, reset, database):
    reset.begin()
    insert(engine, "new")
    late = make_engine(database)
    router.bind(late)
    with late.connect() as connection:
        assert connection.scalar(COUNT) == 2
    insert(late, "late")
    reset.end()
    assert database.rows() == 1
    late.dispose()


def test_an_engine_gets_another_role_during_the_test(engine, router, reset, database):
    pool = engine.pool
    reset.begin()
    insert(engine, "new")
    router.bind(engine, "readonly")
    with engine.connect() as connection, pytest.raises(DBAPIError, match="read-?only"):
        connection.execute(INSERT, {"name": "no"})
    reset.end()
    assert isinstance(engine.pool, type(pool))
    with engine.connect() as connection, pytest.raises(DBAPIError, match="read-?only"):
        connection.execute(INSERT, {"name": "no"})


def test_listeners_prepare_the_connection_once(router, reset, database):
    engines = [make_engine(database) for _ in range(2)]
    heard = []
    for number, engine in enumerate(engines):
        router.bind(engine)
        event.listen(engine, "connect", lambda *_, number=number: heard.append(number))
    for _ in range(2):
        reset.begin()
        for engine in engines:
            with engine.connect() as connection:
                connection.execute(COUNT)
            with engine.connect() as connection:
                connection.execute(COUNT)
        reset.end()
    assert sorted(heard) == [0, 1]


def test_engines_that_only_read_still_cannot_write(engine, router, reset, database):
    reader = make_engine(database)
    router.bind(reader, "readonly")
    reset.begin()
    insert(engine, "new")
    with reader.connect() as connection:
        assert connection.scalar(COUNT) == 2
        with pytest.raises(DBAPIError, match="read-?only"):
            connection.execute(INSERT, {"name": "no"})
    insert(engine, "again")
    with engine.connect() as around, reader.connect() as connection:
        assert around.scalar(COUNT) == connection.scalar(COUNT) == 3
    insert(engine, "and again")
    assert reset.end().warnings == ()
    assert database.rows() == 1
    reader.dispose()
