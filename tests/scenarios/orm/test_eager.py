"""Eager loads that are right, and those that miss what is read."""

from __future__ import annotations

import pytest
from shop import listings
from shop.models import Author, Book, Invoice
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session


@pytest.fixture
def many_authors(engine):
    with Session(engine) as session:
        session.add_all([Author(name=f"a{number}", books=[Book(title="b")]) for number in range(1100)])
        session.commit()


def test_level_missing(session):
    """The second level is not loaded."""
    assert listings.one_level_short(session) == 38


def test_wrong_one(session):
    """One relationship is loaded, another one is read."""
    assert listings.wrong_one(session) == 82


def test_join_loads_nothing(session):
    """A join that filters and does not load."""
    assert len(listings.joined_in_vain(session)) == 12


def test_lazyload_option(session):
    """An option makes a relationship lazy that the mapping loads."""
    assert len(listings.members_one_by_one(session)) == 8


def test_aliased(session):
    """Lazy loads from an alias."""
    assert len(listings.aliased_orders(session)) == 6


def test_two_entities(session):
    """A query for two entities: the second one's collection is loaded for each customer."""
    assert len(listings.pairs(session)) == 12


# --- as it should be ---


def test_joined(session):
    """Two levels joined. # expect: none"""
    assert len(listings.joined(session)) == 13


def test_selected(session):
    """Two collections, each with a query of its own. # expect: none"""
    assert len(listings.selected(session)) == 38


def test_subquery(session):
    """Two levels with subqueries. # expect: none"""
    assert listings.by_subquery(session) == 38


def test_contained(session):
    """A join by hand that loads. # expect: none"""
    assert len(listings.contained(session)) == 12


def test_contained_collection(session):
    """A join by hand that loads a part of a collection. # expect: none"""
    assert len(listings.contained_collection(session)) == 13


def test_guarded(session):
    """raiseload() guards a query that loads what is read. # expect: none"""
    assert len(listings.guarded(session)) == 13


def test_refused(session):
    """raiseload() refuses, so nothing is sent. # expect: none"""
    assert listings.refused(session) == ["refused"] * 13


def test_mapped_selectin(session):
    """The mapping loads the collection. # expect: none"""
    assert set(listings.teams(session).values()) == {2}


def test_mapped_joined(session):
    """The mapping joins the parent. # expect: none"""
    assert len(listings.posts(session)) == 8


def test_mapped_raise(session):
    """A mapping that refuses, and a query that loads. # expect: none"""
    assert listings.invoices(session) == [3] * 4
    invoice = session.get(Invoice, 1)
    session.expire(invoice)
    with pytest.raises(InvalidRequestError):
        assert invoice.lines


def test_load_only_path(session):
    """Only the columns that are read, of a joined parent. # expect: none"""
    assert len(listings.with_load(session)) == 13


def test_contained_alias(session):
    """A join with an alias that loads. # expect: none"""
    assert len(listings.aliased_loaded(session)) == 12


def test_loaded_later(session):
    """A second query loads the collections of instances that are there already. # expect: none"""
    assert listings.loaded_later(session) == [3] * 6


def test_pages(session):
    """Page by page, each with its collections. # expect: none"""
    assert len(list(listings.pages(session, 4))) == 4


def test_many_parents(session, many_authors):
    """selectinload() of 1104 parents sends three statements. # expect: none"""
    assert len(listings.authors(session)) == 1104


def test_collection_and_parent(session):
    """One collection and one parent, joined. # expect: none"""
    assert len(listings.reviewed(session)) == 30
