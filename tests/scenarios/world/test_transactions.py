"""Commits, flushes, savepoints and connections."""

from __future__ import annotations

import pytest
from shop import transactions
from sqlalchemy import func, select

NAMES = ["ada", "bob", "cyd", "dan", "eve", "fay"]


@pytest.fixture
def kept():
    """Close at the end what the test puts here."""
    things = []
    yield things
    for thing in things:
        thing.close()


def test_engine_begin_each(engine):
    """engine.begin() around each INSERT."""
    transactions.begin_each(engine, NAMES)


def test_maker_begin_each(maker):
    """sessionmaker.begin() around each row."""
    transactions.session_begin_each(maker, NAMES)


def test_committing_context_manager(session, shop):
    """A context manager commits at its end, in a loop."""
    transactions.finish_each(session, transactions.waiting(session))


def test_commit_in_a_callee(session, shop):
    """The callee commits, the caller loops."""
    assert transactions.cancel_all(session) == 12


def test_read_and_commit_each(session, shop):
    """A question and a commit without writes in each round: the question is at fault."""
    assert transactions.commit_without_writes(session, ["books", "games", "tools"]) == 3


def test_flush_storm(session, shop):
    """Twelve flushes in one transaction, on twelve lines."""
    assert transactions.onboard(session, "zoe").id == 7


def test_rows_differ_in_columns(session):
    """One flush of rows that differ in columns."""
    transactions.mixed_customers(session, NAMES)


def test_rows_of_expressions(session):
    """One flush of rows whose values are SQL expressions."""
    transactions.computed_names(session, NAMES)


def test_connection_never_closed(pooled_engine):
    """The application keeps an object that holds a connection."""
    assert transactions.exporter(pooled_engine).count() == 12


def test_session_never_closed(maker):
    """The application keeps an object whose session is in a transaction."""
    assert len(transactions.reader(maker).names()) == 6


def test_connection_closed_by_a_fixture(pooled_engine, kept):
    """The application's object holds a connection, the fixture closes it. # expect: none"""
    exporter = transactions.Exporter(pooled_engine)
    kept.append(exporter)
    assert exporter.count() == 12


def test_committed_once(session, shop):
    """The loop stands inside the committing context manager. # expect: none"""
    transactions.finish_once(session, transactions.waiting(session))


def test_one_transaction(engine):
    """One transaction, one executemany. # expect: none"""
    transactions.in_one_transaction(engine, NAMES)


def test_onboard_at_once(session, shop):
    """The same rows as the flush storm, in one flush. # expect: none"""
    assert transactions.onboard_at_once(session, "zoe").id == 7


def test_three_flushes(session, shop):
    """Three flushes on three lines. # expect: none"""
    assert transactions.three_flushes(session, "zoe") == 7


def test_rows_of_equal_columns(session):
    """One INSERT for all rows. # expect: none"""
    transactions.same_customers(session, NAMES)


def test_updates_of_one_column(session, shop):
    """One executemany UPDATE. # expect: none"""
    transactions.restock(session)


def test_two_rows_that_differ(session):
    """Two INSERTs that differ in columns. # expect: none"""
    transactions.two_kinds(session)


def test_change_and_add(session, shop):
    """One flush changes two rows and adds two. # expect: none"""
    assert transactions.settings_by_key(session, {"key1": "a", "key2": "b", "n1": "c", "n2": "d"}) == 2


def test_connection_closed(pooled_engine):
    """The connection goes back. # expect: none"""
    assert transactions.Closing(pooled_engine).count() == 12


def test_raw_connection_closed(pooled_engine):
    """A raw connection goes back in a finally clause. # expect: none"""
    assert transactions.raw_count(pooled_engine) == 12


def test_session_open_without_connection(maker, kept):
    """A session is open, its connection went back with the commit. # expect: none"""
    kept.append(transactions.committed_session(maker))


def test_savepoints_on_a_connection(engine, shop):
    """A savepoint for each of three inserts, one of which fails. # expect: none"""
    with engine.begin() as connection:
        assert transactions.savepoints(connection, ["new1", "key1", "new2"]) == 2


def test_fixture_session_in_a_transaction(session, shop):
    """The fixture's session is in a transaction when the test's call ends: the fixture closes it. # expect: none"""
    assert session.scalar(select(func.count()).select_from(transactions.Order)) == 12
