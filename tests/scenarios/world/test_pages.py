"""Pages, batches and windows, and loops that only look like them."""

from __future__ import annotations

from datetime import date

from shop import pages

FIRST = date(2024, 1, 1)


def test_lazy_on_each_page(session, shop):
    """Pages are right, the lazy load on each page's rows is not."""
    assert len(pages.lazy_on_pages(session, 5)) == 12


def test_one_question_a_day(session, shop):
    """A sum for each day of a range."""
    assert sum(pages.daily_totals(session, FIRST, 12)) == 1266


def test_latest_of_each(session, shop):
    """ORDER BY with LIMIT 1 for each customer."""
    assert pages.first_orders(session) == [2, 4, 6, 8, 10, 12]


def test_first_page_of_each(session, shop):
    """LIMIT and OFFSET that do not move, another customer each time."""
    assert [len(page) for page in pages.first_pages(session)] == [2, 2, 2, 2]


def test_offset_pages(session, shop):
    """A generator of OFFSET pages. # expect: none"""
    assert sum(pages.export_offset(session)) == 1266


def test_keyset_of_two_columns(engine, shop):
    """Keyset pages over a day and a key. # expect: none"""
    with engine.connect() as connection:
        assert pages.by_composite_key(connection, 5) == 12


def test_in_batches(session, shop):
    """IN lists in batches of four. # expect: none"""
    assert len(pages.names_in_batches(session, list(range(1, 13)), 4)) == 12


def test_grouped_by_day(session, shop):
    """GROUP BY answers for all days. # expect: none"""
    assert len(pages.daily_totals_grouped(session)) == 12


def test_windows_of_days(session, shop):
    """A window of four days a transaction, read and written at once. # expect: none"""
    assert pages.archive_in_windows(session, FIRST, date(2024, 1, 12), 4) == 12


def test_purge_in_chunks(session):
    """DELETE of chunks with a commit each. # expect: none"""
    pages.fill_log(session, 20)
    assert pages.purge_in_chunks(session, 6) == 20


def test_backfill_by_windows(session, shop):
    """UPDATE of key ranges with a commit each. # expect: none"""
    assert pages.backfill_names(session, 4) == 3


def test_stream(session, shop):
    """yield_per fetches in chunks from one cursor. # expect: none"""
    assert pages.stream_items(session) == 72


def test_page_and_count(session, shop):
    """A page and its total: two statements, three times on three lines. # expect: none"""
    assert pages.page_with_count(session, 0, 5)[0] == 12
    assert len(pages.page_with_count(session, 1, 5)[1]) == 5
    assert len(pages.page_with_count(session, 2, 5)[1]) == 2
