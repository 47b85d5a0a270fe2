"""Dynamic and write-only relationships, and immediateload()."""

from __future__ import annotations

from shop import blogs


def test_dynamic_count(session):
    """A count of each parent's dynamic collection."""
    assert set(blogs.post_counts(session).values()) == {2}


def test_dynamic_filter(session):
    """The first of each parent's dynamic collection."""
    assert blogs.first_posts(session)[0] == "blog-0 a"


def test_write_only_select(session):
    """The select of each parent's write-only collection."""
    assert len(blogs.entries(session)) == 8


def test_immediate(session):
    """immediateload() sends a statement for each parent."""
    assert len(blogs.order_numbers(session)) == 13


# --- as it should be ---


def test_dynamic_of_one(session):
    """One blog's page. # expect: none"""
    assert blogs.front_page(session, 1) == (2, ["blog-0 a", "blog-0 b"])


def test_write_only_of_one(session):
    """One blog's latest entries. # expect: none"""
    assert blogs.latest_entries(session, 1) == ["a", "b"]


def test_write_only_add(session):
    """An entry for each blog, written in one flush; nothing is loaded. # expect: none"""
    blogs.announce(session, "hello")


def test_counts_grouped(session):
    """The database counts for all. # expect: none"""
    assert len(blogs.counts_by_database(session)) == 4


def test_immediate_of_one(session):
    """immediateload() for one parent. # expect: none"""
    assert len(blogs.one_with_orders(session, 1)) == 2
