"""Eager loads that nobody reads, and those whose reader is hard to see."""

from __future__ import annotations

from shop import exports


def test_selectin_unread(session):
    """A collection that nobody reads."""
    assert len(exports.numbers(session)) == 13


def test_joined_unread(session):
    """A joined parent that nobody reads."""
    assert len(exports.emails(session)) == 7


def test_second_level_unread(session):
    """Of two levels the first is read."""
    assert len(exports.order_numbers(session)) == 13


def test_mapped_joined_unread(session):
    """The mapping joins what this list does not show."""
    assert len(exports.post_titles(session)) == 8


def test_mapped_selectin_unread(session):
    """The mapping loads a collection that this list does not show."""
    assert len(exports.team_names(session)) == 4


def test_subquery_unread(session):
    """A collection by subquery that nobody reads."""
    assert len(exports.streetless(session)) == 7


def test_foreign_key_read(session):
    """The foreign key is read, the joined parent is not."""
    assert len(exports.by_key(session)) == 13


def test_one_of_two_unread(session):
    """Of two collections one is read."""
    assert len(exports.one_of_two(session)) == 13


# --- as it should be ---


def test_read_in_branch(session):
    """Read for the rows of one branch. # expect: none"""
    assert exports.disputes(session) == ["n-12: 2"]


def test_read_of_first(session):
    """Read for the first row. # expect: none"""
    assert exports.first_only(session) == 9


def test_read_by_proxy(session):
    """Read through an association proxy. # expect: none"""
    assert exports.by_proxy(session) == {"red", "green", "blue"}


def test_read_by_hybrid(session):
    """Read through a hybrid property. # expect: none"""
    assert sum(exports.by_hybrid(session)) == 13


def test_read_by_name(session):
    """Read by getattr(). # expect: none"""
    assert len(exports.by_name(session, "customer")) == 13


def test_read_by_state(session):
    """Read through inspect(). # expect: none"""
    assert sum(exports.by_state(session)) == 38


def test_read_by_test(session):
    """Read by the caller, the test. # expect: none"""
    assert all(customer.addresses for customer in exports.loaded_for_caller(session)[:6])


def test_nothing_found(session):
    """No row, so nothing could be read. # expect: none"""
    assert exports.nothing_found(session) == []


def test_read_by_proxy_objects(session):
    """Two levels, both read through one proxy. # expect: none"""
    assert len(exports.skill_names(session)) == 12


def test_read_by_contains(session):
    """Asked whether it contains something. # expect: none"""
    assert exports.contains(session)


def test_read_by_change(session):
    """Changed in place. # expect: none"""
    exports.replaced(session)
