"""Fixtures of wider scope that write: their rows are there as long as they live, and no longer."""

from __future__ import annotations

from contextlib import closing

import dialect
import engines
import pytest
import state
from mischief import write
from sqlalchemy import Column, Integer, MetaData, String, Table

EXTRA = Table("extra", MetaData(), Column("id", Integer, primary_key=True), Column("name", String))


@pytest.fixture(scope="session")
def session_row(application, expectation):
    write("INSERT INTO wide VALUES ('session')")
    with expectation.with_line(dialect.rows_of("wide"), dialect.line_of("session")):
        yield


@pytest.fixture(scope="module")
def module_row(application, expectation):
    write("INSERT INTO wide VALUES ('module')")
    with expectation.with_line(dialect.rows_of("wide"), dialect.line_of("module")):
        yield


@pytest.fixture(scope="class")
def class_row(module_row, application, expectation):
    write("INSERT INTO wide_numbered (owner) VALUES ('class')")
    with (
        expectation.with_line(dialect.rows_of("wide_numbered"), dialect.line_of(1, "class")),
        expectation.with_line(*dialect.NUMBERING),
    ):
        yield
        write("DELETE FROM wide_numbered")


@pytest.fixture(scope="class")
def class_table(application, expectation, connect):
    EXTRA.create(engines.primary)
    write("INSERT INTO extra (name) VALUES ('extra')")
    with closing(connect()) as connection:
        whole = state.read_state(connection)
    with expectation.with_state(whole):
        yield


@pytest.fixture(scope="class")
def broken(application):
    write("INSERT INTO wide VALUES ('broken')")
    raise RuntimeError("on purpose")


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

    def test_emptied(self, class_row):
        write(*dialect.EMPTY_WIDE)

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
        EXTRA.drop(engines.primary)

    def test_read(self, class_table):
        assert write("SELECT name FROM extra") == [("extra",)]


class TestBroken:
    def test_fails_in_setup_of_its_class(self, broken):
        raise AssertionError("never called")
