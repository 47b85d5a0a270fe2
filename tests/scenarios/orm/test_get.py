"""Rows found one after the other by their keys."""

from __future__ import annotations

from shop import lookups


def test_get_by_id(session):
    """session.get() for each of some keys."""
    assert lookups.names(session, [3, 1, 2]) == ["name-2", "name-0", "name-1"]


def test_get_by_foreign_key(session):
    """A repository's get_one() for each row's foreign key."""
    assert len(lookups.skus_of_items(session)) == 38


def test_get_or_create(session):
    """Get or create, product by product, with the old query interface."""
    assert lookups.import_skus(session, ["sku-1", "new-1", "sku-2", "new-2"]) == 2


def test_one_by_number(session):
    """A query by a unique column for each of some values."""
    assert lookups.statuses(session, ["n-1", "n-2", "n-12"]) == ["paid", "new", "disputed"]


def test_warmed_in_vain(session):
    """Instances that nobody keeps are gone from the identity map when get() looks for them."""
    assert len(lookups.owners_after_warming(session)) == 7


# --- as it should be ---


def test_kept_in_map(session):
    """get() for instances that are kept alive asks nobody. # expect: none"""
    assert len(lookups.owners_kept(session)) == 7


def test_many_by_ids(session):
    """One query for all keys. # expect: none"""
    assert len(lookups.skus_in_one_go(session)) == 38


def test_two_gets(session):
    """Two rows for two purposes. # expect: none"""
    assert lookups.buyer_and_seller(session, 1, 2) == ("name-0", "name-1")


def test_import_in_one_go(session):
    """What exists is asked once, what is new is added at once. # expect: none"""
    assert lookups.import_new_skus(session, ["sku-1", "new-1", "sku-2", "new-2"]) == 2


def test_get_the_same(session):
    """The same key in a loop, found in the identity map. # expect: none"""
    assert len(lookups.greeted_again(session, 1)) == 4


def test_get_with_options(session):
    """get() with what the page needs. # expect: none"""
    assert lookups.order_with_owner(session, 1) == "n-0 name-0"
