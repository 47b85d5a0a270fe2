"""Properties, hybrids and methods of models that query."""

from __future__ import annotations

from shop import summaries


def test_hybrid_per_row(session):
    """A hybrid property counts a collection in Python."""
    assert sum(summaries.counts(session)) == 13


def test_property_per_row(session):
    """A plain property that reads a relationship."""
    assert "lonely" in summaries.owners(session)


def test_str_per_row(session):
    """The __str__ of a model reads a relationship."""
    assert summaries.mails(session)[-1] == "Dear: n-12 for lonely"


def test_query_property(session):
    """A property asks its own session for a count."""
    assert summaries.sizes(session)["n-12"] == 2


def test_cached_rows(session):
    """A cached property still loads once for each instance."""
    assert summaries.streets(session) == {"0 Road", "1 Road"}


def test_to_dict(session):
    """A to_dict() that calls the next model's to_dict()."""
    assert len(summaries.payload(session)) == 13


def test_getattr(session):
    """The attribute's name comes as a string."""
    assert len(summaries.by_attribute_name(session, "name", "region")) == 7


# --- as it should be ---


def test_hybrid_in_sql(session):
    """The same hybrid as SQL. # expect: none"""
    assert summaries.counts_by_database(session)["lonely"] == 1


def test_column_property(session):
    """A count that is a column. # expect: none"""
    assert set(summaries.books_written(session).values()) == {2}


def test_property_loaded(session):
    """The same property when the query loads what it reads. # expect: none"""
    assert "lonely" in summaries.owners_loaded(session)


def test_to_dict_loaded(session):
    """The same to_dict() over two loaded levels. # expect: none"""
    assert len(summaries.payload_loaded(session)) == 13


def test_cached_property(session):
    """One instance's cached property, read in a loop. # expect: none"""
    assert len(summaries.streets_of(session, 1)) == 3


def test_query_property_twice(session):
    """The querying property of two instances, in two lines of code in one return. # expect: none"""
    assert summaries.sizes_of_two(session) == (3, 3)


def test_getattr_of_columns(session):
    """Columns by their names. # expect: none"""
    assert len(summaries.own_columns(session)) == 14
