"""Where two things meet: loads below loads, sessions per row, eager loads on odd paths."""

from __future__ import annotations

from shop import mixed
from sqlalchemy.orm import scoped_session


def test_deferred_below_lazy(session):
    """A deferred column of a lazily loaded parent."""
    assert len(mixed.remarks(session)) == 13


def test_subclass_below_eager(session):
    """A column of a subclass in an eagerly loaded collection."""
    assert mixed.languages(session) == ["python"] * 3


def test_session_per_row(sessions):
    """A session of its own for each row."""
    assert mixed.numbers_by_session(sessions, [1, 2, 3]) == ["n-0", "n-1", "n-2"]


def test_scoped_session(sessions):
    """A registry of sessions stands for the session."""
    registry = scoped_session(sessions)
    assert len(mixed.owners_by_registry(registry)) == 13
    registry.remove()


def test_contained_unread(session):
    """contains_eager() on a join that only filters."""
    assert len(mixed.filtered(session)) == 12


def test_unread_of_get(session):
    """An eager load of get() that nobody reads."""
    assert mixed.number_of(session, 1) == "n-0"


def test_two_collections_of_get(session):
    """Two joined collections of one row multiply each other."""
    assert mixed.page(session, 1) == (3, 2)


def test_list_of_one(session):
    """A list of keys that holds one in this test."""
    assert mixed.by_ids(session, [4]) == ["name-1"]


def test_list_twice(session):
    """Sidebar and menu both load the categories."""
    assert len(mixed.layout(session)[0]) == 9


def test_eager_then_commit(session):
    """What was loaded eagerly is thrown away by a commit and comes back row by row."""
    assert mixed.sizes_after_commit(session) == [3] * 6


def test_rows_differ(session):
    """One flush sends a statement for each row, since neighbours differ in columns."""
    mixed.settle(session)


def test_helper_twice(session):
    """Two steps ask for one setting through a helper that they share."""
    assert mixed.steps(session) == ("on", "ON")


# --- as it should be ---


def test_two_uses(session):
    """Two callers of one query: each reads a half of what it loads. # expect: none"""
    assert len(mixed.two_uses(session)[1]) == 13


def test_read_by_pickle(session):
    """What is loaded goes into a pickle. # expect: none"""
    assert mixed.frozen(session)


def test_read_none(session):
    """What is loaded and read is None. # expect: none"""
    assert len(mixed.without_category(session)) == 3


def test_get_of_nothing(session):
    """get() with an option finds nothing. # expect: none"""
    assert mixed.missing(session) == "none"


def test_limit_in_subquery(session):
    """The limit is in a subquery, the joined collection outside of it. # expect: none"""
    assert sorted(mixed.newest_with_items(session)) == [2, 3, 3]


def test_rows_alike(session):
    """One flush, one statement with many sets of parameters. # expect: none"""
    mixed.settle_alike(session)


def test_deferred_below_joined(session):
    """A deferred column of a joined parent, undeferred. # expect: none"""
    assert len(mixed.remarks_loaded(session)) == 13


def test_two_sessions_two_rows(sessions):
    """Two rows in two sessions. # expect: none"""
    assert mixed.read_as_one(sessions) == ("n-0", "n-1")
