"""Caches: those that hold, and those that miss each time."""

from __future__ import annotations

from shop import caches


def test_cache_that_always_misses(session, shop):
    """A dictionary cache whose keys are all different."""
    assert caches.converted(session, ["EUR", "USD", "GBP", "CHF"]) == 10


def test_lru_cache_misses(session, shop):
    """lru_cache over an argument that differs each time."""
    assert len(caches.product_names(session, [1, 2, 3, 4, 5])) == 5


def test_forgotten_cache(session, shop):
    """A property reads the whole table each time it is asked."""
    assert caches.read_settings(caches.UncachedSettings(session), ["key1", "key2", "key3"]) == ["1", "2", "3"]


def test_cached_property(session, shop):
    """A cached property reads the table once. # expect: none"""
    assert caches.read_settings(caches.Settings(session), ["key1", "key2", "key3"]) == ["1", "2", "3"]


def test_cache_that_hits(session, shop):
    """The cache is asked for one key six times. # expect: none"""
    assert caches.converted(session, ["EUR"] * 6) == 6


def test_lookup_dictionary(session, shop):
    """A dictionary filled by one statement. # expect: none"""
    assert len(caches.labels(session)) == 12


def test_warmed_identity_map(session, shop):
    """session.get() finds each row in the session. # expect: none"""
    assert len(caches.warmed(session, [1, 2, 3, 4])) == 4


def test_hoisted_question(session, shop):
    """The question stands before the loop. # expect: none"""
    assert caches.priced(session, [1, 2, 3]) == [2, 4, 6]
