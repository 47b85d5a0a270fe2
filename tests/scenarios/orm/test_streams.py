"""Results read in parts: yield_per, partitions, fetchmany."""

from __future__ import annotations

from shop import streams


def test_yield_per(session):
    """A stream whose rows load one by one."""
    assert len(list(streams.owners(session))) == 13


def test_partitions(session):
    """Parts of five, and a load for each row."""
    assert sum(streams.item_counts(session)) == 38


def test_fetch_by_hand(session):
    """fetchmany() in a while loop, and a load for each row."""
    assert len(streams.skus(session)) == 38


def test_next_by_hand(session):
    """next() in a while loop, and a load for each row."""
    assert len(streams.categories(session)) == 36


# --- as it should be ---


def test_yield_per_loaded(session):
    """A stream that loads the collections of each batch at once, by design. # expect: none"""
    assert sum(streams.counts_streamed(session)) == 38


def test_in_parts(session):
    """A query for each five keys. # expect: none"""
    assert len(streams.items_by_part(session)) == 38


def test_stream_of_rows(session):
    """A stream of columns. # expect: none"""
    assert len(streams.numbers(session)) == 13


def test_unique(session):
    """A join that repeats its parents, made unique. # expect: none"""
    assert len(streams.unique_orders(session)) == 13
