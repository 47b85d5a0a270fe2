"""One thing and what hangs below it, and queries in unusual forms."""

from __future__ import annotations

from shop import pages


def test_below_one(session):
    """One order, and the product of each of its items."""
    assert pages.basket(session, 1) == ["sku-0", "sku-1", "sku-2"]


def test_below_one_loaded(session):
    """One order with its items loaded, and the product of each of them."""
    assert pages.basket_loaded(session, 1) == ["sku-0", "sku-1", "sku-2"]


def test_query_iterated(session):
    """The old query interface, iterated over."""
    assert len(pages.by_query(session)) == 13


def test_query_all(session):
    """The old query interface, all() of it."""
    assert sum(pages.by_query_all(session)) == 38


def test_from_statement(session):
    """Rows of hand-written SQL load their parents; no option of ours travels with them."""
    assert len(pages.by_text(session)) == 13


def test_union(session):
    """Rows of a union."""
    assert len(pages.by_union(session)) == 12


def test_with_parent(session):
    """with_parent() for each parent."""
    assert len(pages.by_parent(session)) == 38


def test_generator_of_gets(session):
    """A generator gets one row each time its consumer wants one."""
    assert pages.numbers(session, [1, 2, 3]) == ["n-0", "n-1", "n-2"]


def test_autoflush_folded(session):
    """A loop that changes and loads: each load flushes the change before it."""
    assert pages.finish(session) == 38


def test_refresh_attribute(session):
    """refresh() of one collection, row by row."""
    assert pages.reload_items(session) == 38


def test_populate_each(session):
    """A query for each key that must not use the identity map."""
    assert pages.read_anew(session) == [0, 1, 2]


def test_get_twice_dropped(session):
    """get() twice for one key, and nobody keeps the first."""
    assert pages.letter(session, 1) == "name-0 <c0@example.org>"


def test_flush_hook(session):
    """A hook of the flush reads a parent of each changed row."""
    pages.close_all(pages.audited(session))


# --- as it should be ---


def test_below_one_at_once(session):
    """One order with both levels loaded. # expect: none"""
    assert pages.basket_at_once(session, 1) == ["sku-0", "sku-1", "sku-2"]


def test_query_loaded(session):
    """The old query interface with an option. # expect: none"""
    assert len(pages.by_query_loaded(session)) == 13


def test_with_one_parent(session):
    """with_parent() for one parent. # expect: none"""
    assert len(pages.basket_of_one(session, "n-1")) == 3


def test_union_of_columns(session):
    """A union of columns. # expect: none"""
    assert pages.cheap_and_dear(session) == ["sku-0", "sku-1", "sku-34", "sku-35"]


def test_changes_in_one_flush(session):
    """Changes in a loop that reads what is loaded: one flush. # expect: none"""
    assert pages.finish_unflushed(session) == 38


def test_get_twice_kept(session):
    """get() for a row that the caller keeps. # expect: none"""
    assert pages.letter_kept(session, 1) == "name-0 <c0@example.org>"
