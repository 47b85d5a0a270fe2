"""Tests whose markers choose another reset, between others that do not; fixtures of wider scope that write."""

from __future__ import annotations

import asyncio
from contextlib import closing

import engines
import pytest
import state
from models import Shop
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

KEPT: list[object] = []
COUNT = select(func.count(Shop.id))
WIDE = "rows wide"


def add_shop():
    with Session(engines.primary) as session:
        shop = Shop(name="new")
        session.add(shop)
        session.commit()
        assert shop.id == 2


def write(statement):
    with engines.primary.begin() as connection:
        connection.execute(text(statement))


def make_a_mess():
    write("DELETE FROM wide")
    write("INSERT INTO wide VALUES ('test')")
    write("UPDATE customer SET name = 'x'")
    write("INSERT INTO wide_numbered (owner) VALUES ('test')")


@pytest.mark.dbguard(reset="rollback")
class TestRollback:
    def test_orm(self, dbguard_session):
        add_shop()
        assert dbguard_session.scalar(COUNT) == 2

    def test_errors(self):
        with pytest.raises(IntegrityError), Session(engines.primary) as session:
            session.add(Shop(name="corner"))
            session.commit()
        add_shop()

    def test_schema(self):
        write("DROP TABLE watched")
        write("CREATE TABLE later (id INTEGER)")

    def test_leaks_pooled_session(self):
        session = Session(engines.primary)
        session.add(Shop(name="left"))
        session.flush()
        KEPT.append(session)

    def test_asynchronous(self):
        async def write():
            async with AsyncSession(engines.asynchronous) as session:
                session.add(Shop(name="new"))
                await session.commit()
                assert await session.scalar(COUNT) == 2

        asyncio.run(write())


@pytest.mark.dbguard(reset="truncate")
def test_truncate():
    add_shop()


@pytest.mark.dbguard(reset="clone")
def test_clone():
    add_shop()


@pytest.mark.dbguard(fresh=True)
def test_fresh():
    add_shop()


@pytest.fixture(scope="session")
def session_row(application, expectation):
    write("INSERT INTO wide VALUES ('session')")
    with expectation.with_line(WIDE, "('session',)"):
        yield


@pytest.fixture(scope="module")
def module_row(application, expectation):
    write("INSERT INTO wide VALUES ('module')")
    with expectation.with_line(WIDE, "('module',)"):
        yield


@pytest.fixture(scope="class")
def class_row(module_row, application, expectation):
    write("INSERT INTO wide_numbered (owner) VALUES ('class')")
    with (
        expectation.with_line("rows wide_numbered", "(1, 'class')"),
        expectation.with_line("rows sqlite_sequence", "('wide_numbered', 1)"),
    ):
        yield
        write("DELETE FROM wide_numbered")


@pytest.fixture(scope="class")
def class_table(application, expectation, connect):
    write("CREATE TABLE extra (id INTEGER PRIMARY KEY, name TEXT)")
    write("INSERT INTO extra (name) VALUES ('extra')")
    with closing(connect()) as connection:
        whole = state.read_state(connection)
    with expectation.with_state(whole):
        yield


@pytest.fixture(scope="class")
def broken(application):
    write("INSERT INTO wide VALUES ('broken')")
    raise RuntimeError("on purpose")


def test_session(session_row):
    make_a_mess()


def test_module(module_row):
    make_a_mess()


def test_module_with_a_schema_change(module_row):
    make_a_mess()
    write("ALTER TABLE wide ADD COLUMN later INTEGER")


class TestRows:
    def test_written(self, class_row):
        make_a_mess()

    def test_swapped(self, class_row):
        write("DROP TABLE watched")

    @pytest.mark.dbguard(reset="rollback")
    def test_rolled_back(self, class_row):
        make_a_mess()

    @pytest.mark.dbguard(reset="clone")
    def test_cloned(self, class_row):
        make_a_mess()


class TestTable:
    def test_written(self, class_table):
        write("INSERT INTO extra (name) VALUES ('test')")
        write("DELETE FROM customer")

    def test_dropped(self, class_table):
        write("DROP TABLE extra")

    def test_read(self, class_table):
        with engines.readonly.connect() as connection:
            assert connection.scalar(text("SELECT name FROM extra")) == "extra"


class TestBroken:
    def test_fails_in_setup_of_its_class(self, broken):
        raise AssertionError("never called")
