"""Instances outside of the session that loaded them."""

from __future__ import annotations

from shop import memory


def test_attached_again(sessions):
    """Loaded in one session, lazily loading in another."""
    assert len(memory.owners_later(sessions, memory.load_orders(sessions))) == 13


def test_pickled_lazy(sessions):
    """Instances from a pickle, lazily loading in another session."""
    assert sum(memory.from_pickle(sessions)) == 13


def test_after_pickle(sessions):
    """An instance from a pickle has loaded what others, from a query, load after it on the same engine."""
    assert memory.thawed(sessions) == 2
    assert memory.quantities(sessions) == 82


# --- as it should be ---


def test_expunged(sessions):
    """Loaded with what is read, then let go. # expect: none"""
    assert len(memory.cached(sessions)["name-0"]) == 2


def test_pickled(sessions):
    """Pickled with what is read. # expect: none"""
    assert sum(memory.cached_in_pickle(sessions)) == 13


def test_read_after_close(sessions):
    """A session that does not expire; its rows are read after it is closed. # expect: none"""
    assert len(memory.read_after_commit(sessions)) == 13


def test_refused_detached(sessions):
    """Detached instances refuse to load, so nothing is sent. # expect: none"""
    assert memory.refused(memory.load_orders(sessions)) == 13


def test_copies(session):
    """Instances made transient and inserted again. # expect: none"""
    assert len(memory.copies(session)) == 6
