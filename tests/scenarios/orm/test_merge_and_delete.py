"""Merging what comes from elsewhere, and deletes that cascade."""

from __future__ import annotations

from shop import cleanup, sync
from shop.models import Account, Product
from sqlalchemy.orm import Session

ROWS = [{"id": number, "price": number * 7} for number in (1, 2, 3, 4)]


def test_merge_each(session):
    """merge() asks for each row."""
    sync.merge_products(session, ROWS)


def test_merge_comprehension(session):
    """merge() in a comprehension."""
    rows = [{"id": number, "name": f"account-{number}", "balance": 1} for number in (11, 12, 13)]
    assert len(sync.merge_accounts(session, rows)) == 3


def test_merge_known(session):
    """merge() finds all rows in the identity map, and flushes the one before each time."""
    assert sync.merge_known(session, ROWS) == 70


def test_delete_cascade(session):
    """A cascade loads the children of each parent that goes."""
    cleanup.drop_folders(session)


def test_delete_nullify(session):
    """Without a cascade, too, the children of each are loaded, in the flush."""
    cleanup.drop_threads(session)


def test_clear_each(session):
    """The collection of each parent is cleared."""
    cleanup.empty_folders(session)


def test_delete_statement_each(session):
    """A DELETE for each name."""
    cleanup.drop_files(session, ["a", "b", "c"])


# --- as it should be ---


def test_merge_one(session):
    """One merge. # expect: none"""
    assert sync.merge_one(session, ROWS[0]).price == 7


def test_merge_known_unflushed(session):
    """merge() finds all rows in the identity map and may not flush. # expect: none"""
    assert sync.merge_known_unflushed(session, ROWS) == 70


def test_merge_without_load(session, engine):
    """merge() that takes instances as they are. # expect: none"""
    with Session(engine, expire_on_commit=False) as other:
        accounts = other.query(Account).all()
    assert len(sync.adopt(session, accounts)) == 4


def test_update_by_keys(session):
    """One UPDATE with many sets of parameters. # expect: none"""
    sync.update_prices(session, ROWS)
    assert session.get(Product, 1).price == 7


def test_passive_deletes(session):
    """The database deletes the children. # expect: none"""
    cleanup.drop_surveys(session)


def test_delete_one(session):
    """One parent and its children. # expect: none"""
    cleanup.drop_folder(session, 1)


def test_delete_loaded(session):
    """The cascade finds the children loaded: nobody but it reads them. # expect: none"""
    cleanup.drop_folders_loaded(session)


def test_delete_by_statements(session):
    """Two statements. # expect: none"""
    cleanup.drop_folders_by_statements(session)


def test_replace_children(session):
    """The children of one parent are replaced. # expect: none"""
    cleanup.replace_files(session, 1, ["c", "d", "e"])
