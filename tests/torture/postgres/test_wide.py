"""Fixtures of wider scope that write: their rows are there as long as they live, and no longer."""

from __future__ import annotations

import engines
import psycopg
import pytest
import state
from sqlalchemy import text

KEPT: list[object] = []
WIDE = "rows public.wide"


def write(statement):
    with engines.primary.begin() as connection:
        connection.execute(text(statement))


@pytest.fixture(scope="session")
def session_row(application, expectation):
    write("INSERT INTO wide VALUES ('session')")
    with expectation.with_line(WIDE, "(session)"):
        yield


@pytest.fixture(scope="module")
def module_row(application, expectation):
    write("INSERT INTO wide VALUES ('module')")
    with expectation.with_line(WIDE, "(module)"):
        yield


@pytest.fixture(scope="class")
def class_row(module_row, application, expectation):
    write("INSERT INTO wide_numbered (owner) VALUES ('class')")
    with expectation.with_line("rows public.wide_numbered", "(1,class)"):
        yield
        write("DELETE FROM wide_numbered")


@pytest.fixture(scope="class")
def class_table(application, expectation, dsn):
    write("CREATE TABLE extra (id serial PRIMARY KEY, name text)")
    write("INSERT INTO extra (name) VALUES ('extra')")
    with psycopg.connect(dsn, autocommit=True) as connection:
        whole = state.read_state(connection)
    with expectation.with_state(whole):
        yield


@pytest.fixture(scope="class")
def broken(application):
    write("INSERT INTO wide VALUES ('broken')")
    raise RuntimeError("on purpose")


@pytest.fixture(scope="class")
def open_transaction(application, expectation):
    """A transaction that stays open for several tests."""
    with engines.primary.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM shop")) == 1
        with expectation.with_line("transactions of others", " idle in transaction"):
            yield connection


def make_a_mess():
    write("DELETE FROM wide")
    write("INSERT INTO wide VALUES ('test')")
    write("UPDATE customer SET name = 'x'")
    write("INSERT INTO wide_numbered (owner) VALUES ('test')")


def test_session(session_row):
    make_a_mess()


def test_module(module_row):
    make_a_mess()


def test_module_with_a_schema_change(module_row):
    make_a_mess()
    write("ALTER TABLE wide ADD COLUMN later integer")


class TestRows:
    def test_written(self, class_row):
        make_a_mess()

    def test_truncated(self, class_row):
        write("TRUNCATE wide_numbered, wide RESTART IDENTITY")

    def test_swapped(self, class_row):
        write("DROP TABLE gap")

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
        write("SELECT * FROM extra")


class TestOpenTransaction:
    def test_writes(self, open_transaction):
        make_a_mess()
        assert open_transaction.scalar(text("SELECT count(*) FROM shop")) == 1

    def test_leaks_pooled_connection(self, open_transaction):
        KEPT.append(engines.primary.connect())
        KEPT[-1].execute(text("INSERT INTO wide VALUES ('left')"))


class TestBroken:
    def test_fails_in_setup_of_its_class(self, broken):
        raise AssertionError("never called")
