"""Joined collections that multiply each other or cross a limit."""

from __future__ import annotations

from shop import dashboards


def test_two_collections(session):
    """Two collections of one parent, joined."""
    assert "name-0 2 2" in dashboards.customers(session)


def test_two_below_one(session):
    """Two collections of the second level, joined."""
    assert len(dashboards.orders(session)) == 13


def test_collection_with_limit(session):
    """A joined collection and a limit."""
    assert dashboards.first_customers(session)[0] == "name-0 2"


def test_mapped_with_limit(session):
    """The mapping joins the collection, the query has the limit."""
    assert dashboards.newest_galleries(session) == ["a", "b", "a", "b"]


# --- as it should be ---


def test_one_of_each(session):
    """One collection joined, the other by a query of its own. # expect: none"""
    assert "name-0 2 2" in dashboards.customers_apart(session)


def test_chain(session):
    """Two levels of one chain. # expect: none"""
    assert dashboards.chain(session) == 38


def test_joined_parents(session):
    """Parents and their parents. # expect: none"""
    assert len(dashboards.parents(session)) == 38


def test_selectin_with_limit(session):
    """A collection by a query of its own, and a limit. # expect: none"""
    assert len(dashboards.first_customers_apart(session)) == 3


def test_parent_with_limit(session):
    """A joined parent and a limit. # expect: none"""
    assert dashboards.first_orders(session)[0] == "n-0 name-0"


def test_collection_of_one(session):
    """One row by its key, its collection joined. # expect: none"""
    assert dashboards.one_order(session, 1) == 3


def test_mapped_without_limit(session):
    """The mapping joins the collection, and there is no limit. # expect: none"""
    assert len(dashboards.galleries(session)) == 8


def test_one_to_one_sibling(session):
    """A one-to-one relationship beside a collection. # expect: none"""
    assert len(dashboards.one_to_one_and_collection(session)) == 6
