"""Imports and extracts."""

from __future__ import annotations

from shop import imports

MAILS = ["c1@shop.test", "n1@shop.test", "c2@shop.test", "n2@shop.test", "n3@shop.test"]


def test_get_or_create(session, shop):
    """Look up, else insert and flush: a read and a write in each round."""
    assert len(imports.import_customers(session, MAILS)) == 5


def test_lookup_for_each_row(session, shop):
    """The category is looked up for each row of the file."""
    assert imports.import_products(session, imports.FILE) == 9


def test_commit_each_row(session, shop):
    """A commit for each row of the file."""
    assert imports.commit_each_row(session, imports.FILE) == 9


def test_lookup_first(session, shop):
    """The categories are read once. # expect: none"""
    assert imports.import_with_lookup(session, imports.FILE) == 9


def test_chunk_a_transaction(session, shop):
    """An executemany and a commit for each chunk of three. # expect: none"""
    assert imports.import_in_chunks(session, imports.FILE, 3) == 9


def test_chunk_a_flush(session, shop):
    """add_all() and a flush for each chunk of three. # expect: none"""
    assert imports.import_by_add_all(session, imports.FILE, 3) == 9


def test_synchronise(session, shop):
    """One question, one insert. # expect: none"""
    assert imports.synchronise(session, MAILS) == (2, 3)


def test_upsert_in_chunks(session, shop):
    """An upsert of many values for each chunk. # expect: none"""
    assert imports.upsert_in_chunks(session, imports.FILE, 3) == 9


def test_progress_of_chunks(session, shop):
    """One line of progress for each chunk, in the chunk's transaction. # expect: none"""
    assert imports.progress(session, imports.FILE, 3) == 3
