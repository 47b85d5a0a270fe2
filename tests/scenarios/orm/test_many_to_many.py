"""Many-to-many relationships, association objects and association proxies."""

from __future__ import annotations

from shop import tagging


def test_tags(session):
    """Each product's tags."""
    assert len(tagging.tag_lists(session)) == 36


def test_backref(session):
    """The same table from its other side."""
    assert tagging.sizes_of_tags(session)["red"] == 24


def test_links(session):
    """An association object, and what it leads to."""
    assert len(tagging.levels(session)) == 12


def test_proxy(session):
    """An association proxy over a collection."""
    assert len(tagging.names_by_proxy(session)) == 72


def test_proxy_contains(session):
    """A question to an association proxy for each row."""
    assert len(tagging.red_ones(session)) == 24


def test_proxy_object(session):
    """A proxy over an association object: two loads behind one attribute."""
    assert len(tagging.skilled(session)) == 12


def test_append(session):
    """A tag for each of several products loads the tags of each."""
    tagging.mark_all(session, "red")


# --- as it should be ---


def test_tags_loaded(session):
    """Tags loaded with the products. # expect: none"""
    assert len(tagging.tag_lists_loaded(session)) == 36


def test_proxy_loaded(session):
    """A proxy over loaded tags. # expect: none"""
    assert len(tagging.names_by_proxy_loaded(session)) == 72


def test_proxy_object_loaded(session):
    """A proxy over an association object with both levels loaded. # expect: none"""
    assert len(tagging.skilled_loaded(session)) == 12


def test_tag_in_where(session):
    """The database looks for the tag. # expect: none"""
    assert len(tagging.red_ones_by_database(session)) == 24


def test_append_to_one(session):
    """A tag for one product. # expect: none"""
    assert tagging.mark_one(session, "sku-0", "blue") == ["red", "green", "blue"]


def test_rows_of_secondary(session):
    """Rows for the table in the middle, in one statement. # expect: none"""
    tagging.mark_by_rows(session, "red")
