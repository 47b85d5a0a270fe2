"""Engines that were made with any URL lead to the test's database, and back."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool, SingletonThreadPool, StaticPool

from pytest_dbguard.core.errors import DatabaseError

COUNT = text("SELECT count(*) FROM item")
INSERT = text("INSERT INTO item (\"na%me\") VALUES ('new')")
SYNC = {
    "sqlite": ["sqlite://", "sqlite:////nowhere/production.db"],
    "postgres-embedded": [
        "postgresql+psycopg://app:secret@db.example.com:6432/shop?sslmode=require&application_name=shop",
        "postgresql+psycopg://a,b/shop?target_session_attrs=read-write",
    ],
}
ASYNC = {
    "sqlite": ["sqlite+aiosqlite://", "sqlite+aiosqlite:////nowhere/production.db"],
    "postgres-embedded": [
        "postgresql+psycopg://app@db.example.com/shop",
        "postgresql+asyncpg://app@db.example.com/shop",
    ],
}
numbers = pytest.mark.parametrize("number", [0, 1])


@numbers
@pytest.mark.parametrize("pool", [{}, {"poolclass": NullPool}, {"poolclass": StaticPool}])
def test_an_engine_leads_to_the_database(router, database, number, pool):
    engine = create_engine(SYNC[database.kind][number], **pool)
    router.bind(engine)
    router.bind(engine)
    with engine.begin() as connection:
        assert connection.scalar(COUNT) == 1
    assert [bound.engine for bound in router.engines()] == [engine]
    router.unbind_all()
    assert router.engines() == ()


@numbers
def test_an_asynchronous_engine_leads_to_the_database_in_any_loop(router, database, number):
    engine = create_async_engine(ASYNC[database.kind][number])
    router.bind(engine)

    async def count():
        async with engine.connect() as connection:
            return await connection.scalar(COUNT)

    assert [asyncio.run(count()) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_other_arguments_of_the_driver_are_kept(router, database):
    engine = create_engine(SYNC[database.kind][0], connect_args={"options": "-c statement_timeout=4321"})
    router.bind(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW application_name")) == "shop"
        assert connection.scalar(text("SHOW statement_timeout")) == "4321ms"


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_an_engine_that_connects_by_a_function_of_its_own(router, database):
    def refuse():
        raise AssertionError

    engine = create_engine("postgresql+psycopg://", creator=refuse)
    router.bind(engine)
    with engine.connect() as connection:
        assert connection.scalar(COUNT) == 1
    router.unbind_all()
    with pytest.raises(AssertionError), engine.connect():
        pass


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_engine_goes_back_alone(router):
    engine, other = create_engine("sqlite://"), create_engine("sqlite://")
    gone = []
    router.on_gone = lambda bound: gone.append(bound.engine)
    router.bind(engine)
    router.bind(other)
    router.unbind(engine)
    router.unbind(engine)
    assert ([bound.engine for bound in router.engines()], gone) == ([other], [engine])
    with other.connect() as connection:
        assert connection.scalar(COUNT) == 1
    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.scalar(COUNT)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_engine_goes_back_to_where_it_led(router, tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/production.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE item (id INTEGER)"))
    router.bind(engine)
    with engine.connect() as connection:
        assert connection.scalar(COUNT) == 1
    router.unbind_all()
    with engine.connect() as connection:
        assert connection.scalar(COUNT) == 0
    engine.dispose()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_an_asynchronous_engine_has_open_elsewhere_is_replaced(router, tmp_path):
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/production.db")

    async def use(statement):
        async with engine.begin() as connection:
            return await connection.execute(text(statement))

    asyncio.run(use("CREATE TABLE item (id INTEGER)"))
    router.bind(engine)
    assert asyncio.run(use("SELECT count(*) FROM item")).scalar() == 1


@pytest.mark.parametrize("role", ["readonly", "analytics"])
def test_roles_that_only_read(router, database, role):
    engine = create_engine(SYNC[database.kind][0], poolclass=StaticPool)
    router.bind(engine)
    router.bind(engine, role)
    with engine.connect() as connection:
        assert connection.scalar(COUNT) == 1
        with pytest.raises(DBAPIError, match="read-?only"):
            connection.execute(INSERT)
    router.bind(engine)
    with engine.connect() as connection:
        connection.execute(INSERT)
        connection.rollback()


@numbers
def test_asynchronous_engines_that_only_read(router, database, number):
    engine = create_async_engine(ASYNC[database.kind][number])
    router.bind(engine, "readonly")

    async def write():
        async with engine.begin() as connection:
            await connection.execute(INSERT)

    with pytest.raises(DBAPIError, match="read-?only"):
        asyncio.run(write())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_another_family_is_refused_with_the_setting_to_change(router):
    with pytest.raises(DatabaseError) as caught:
        router.bind(create_engine("postgresql+psycopg://app:secret@db.example.com/shop"))
    assert str(caught.value) == (
        "the engine 'postgresql+psycopg://app:***@db.example.com/shop' is made for 'postgresql', the tests' database is"
        " 'sqlite'\n  set database = \"postgres-embedded\" in [tool.dbguard], or run with --dbguard-database"
    )


def test_what_is_no_engine_is_refused(router):
    with pytest.raises(DatabaseError, match="expected an engine, found 'str'"):
        router.bind("sqlite://")


def test_an_engine_with_other_options_is_the_same_engine(router, database):
    engine = create_engine(SYNC[database.kind][0])
    router.bind(engine.execution_options(stream_results=True))
    with engine.connect() as connection:
        assert connection.scalar(COUNT) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_listeners_and_pools_of_the_application_stay(router):
    engine = create_engine("sqlite://", poolclass=SingletonThreadPool)
    event.listen(engine, "connect", lambda connection, _: connection.create_function("twice", 1, lambda x: 2 * x))
    router.bind(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT twice(id) FROM item")) == 2
    assert isinstance(engine.pool, SingletonThreadPool)


def test_whoever_wants_to_know_hears_of_new_engines(router, database):
    heard = []
    router.on_bind = heard.append
    engine = create_engine(SYNC[database.kind][0])
    router.bind(engine, "readonly")
    assert [(bound.engine, bound.role, bound.is_async) for bound in heard] == [(engine, "readonly", False)]
