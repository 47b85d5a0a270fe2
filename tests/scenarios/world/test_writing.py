"""Write loops and their innocent neighbours."""

from __future__ import annotations

from datetime import date

from shop import writing
from shop.models import Order, Setting
from sqlalchemy import func, select

MESSAGES = ["a", "b", "c", "d"]
SETTINGS = {"key1": "x", "new1": "y", "new2": "z"}


def test_core_insert_each(engine):
    """A Core INSERT for each message."""
    with engine.begin() as connection:
        writing.insert_each(connection, MESSAGES)


def test_text_update_each(engine, shop):
    """An UPDATE of text() for each product."""
    with engine.begin() as connection:
        writing.raise_prices(connection, {"sku1": 1, "sku2": 2, "sku3": 3})


def test_delete_each(session, shop):
    """A DELETE by key for each id."""
    writing.delete_each(session, [1, 2, 3])


def test_upsert_each(session, shop):
    """An upsert for each pair."""
    writing.upsert_each(session, SETTINGS)


def test_flush_for_the_key(session):
    """A flush for each row, to know its key."""
    assert len(writing.flush_each(session, MESSAGES)) == 4


def test_save_callback(session):
    """The loop is handed a function that adds and flushes."""
    writing.create_jobs(session, MESSAGES, writing.save)


def test_insert_returning_each(session):
    """INSERT ... RETURNING for each row, fetched like a select."""
    assert len(writing.returning_each(session, MESSAGES)) == 4


def test_merge_each(session, shop):
    """merge() of rows that the session does not know: a SELECT each, the writes are one flush."""
    writing.merge_each(session, [{"id": n, "email": f"c{n - 1}@shop.test", "name": "x"} for n in (1, 2, 3)])


def test_executemany(engine):
    """One executemany. # expect: none"""
    with engine.begin() as connection:
        writing.insert_all(connection, MESSAGES)


def test_upsert_all(session, shop):
    """One upsert of many rows. # expect: none"""
    writing.upsert_all(session, SETTINGS)


def test_add_in_a_loop_flush_once(session):
    """add() in a loop, one flush behind it. # expect: none"""
    assert len(writing.add_all(session, MESSAGES)) == 4


def test_insert_returning_all(session):
    """INSERT ... RETURNING of many rows at once. # expect: none"""
    assert len(writing.returning_all(session, MESSAGES)) == 4


def test_unit_of_work_updates(session, shop):
    """Each row changes, one flush updates them. # expect: none"""
    assert writing.raise_all(session, 10) == 10


def test_update_by_case(session, shop):
    """One UPDATE with CASE. # expect: none"""
    writing.raise_by_case(session, {"sku1": 1, "sku2": 2, "sku3": 3})


def test_delete_many(session, shop):
    """One DELETE with an IN list. # expect: none"""
    writing.delete_many(session, [1, 2, 3])


def test_savepoint_for_each_row(session, shop):
    """A savepoint for each row, duplicates skipped. # expect: none"""
    assert writing.import_unique(session, {"key1": "a", "n1": "b", "key2": "c", "n2": "d", "n3": "e"}) == 2


def test_three_tables_in_one_use_case(session, shop):
    """Two flushes and a commit on three lines. # expect: none"""
    writing.place(session, Order(customer_id=1, placed_on=date(2024, 3, 1)), ["sku1", "sku2"])


def test_bulk_update_by_key(session, shop):
    """ORM bulk update by primary key. # expect: none"""
    writing.bulk_by_key(session, [{"id": n, "name": f"x{n}"} for n in (1, 2, 3)])


def test_two_steps_of_one_job(session, shop):
    """Two updates of one row on two lines. # expect: none"""
    writing.two_steps(session, 1)
    assert session.scalar(select(func.count()).select_from(Setting)) == 5
