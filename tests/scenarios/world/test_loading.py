"""Eager loads, used and unused, and lazy loads that the data hides."""

from __future__ import annotations

from shop import loading


def test_unused_selectin(session, shop):
    """A selectinload that nobody reads."""
    assert len(loading.order_ids(session)) == 12


def test_unused_joined(session, shop):
    """A joinedload that nobody reads."""
    assert loading.totals(session) == 1266


def test_shared_base_query(session, shop):
    """A shared query loads two relationships, this caller reads one."""
    assert len(loading.names_only(session)) == 12


def test_unused_second_level(session, shop):
    """The first level of a chain is read, the second is not."""
    assert loading.priced_items(session) > 0


def test_joined_collection_and_limit(session, shop):
    """joinedload of a collection under a LIMIT."""
    assert loading.page_with_items(session, 5) == [3] * 5


def test_masked_by_one_customer(session, shop):
    """Two orders share one customer: one statement here, many in production."""
    assert len(loading.customer_report(session, "gold", 106)) == 2


def test_latent(session, shop):
    """One order is left by the filter: one lazy load here, many in production."""
    assert loading.latent(session, 111) == [3]


def test_shared_query_all_used(session, shop):
    """The same shared query, both relationships read. # expect: none"""
    assert len(loading.all_of_it(session)) == 12


def test_used_in_one_branch(session, shop):
    """The collection is read for some of the rows. # expect: none"""
    assert loading.one_branch(session, 106) == [3] * 6


def test_contains_eager(session, shop):
    """contains_eager of a join that filters. # expect: none"""
    assert len(loading.filtered(session)) == 4


def test_nested_joined_collections(session, shop):
    """A chain of two joined collections: the rows are those of the inner, nothing multiplies. # expect: none"""
    assert loading.full_customers(session) == 36


def test_joined_children_of_one(session, shop):
    """One joined collection of one parent. # expect: none"""
    assert loading.siblings(session) == 3


def test_joined_to_one_and_limit(session, shop):
    """joinedload of a to-one under a LIMIT. # expect: none"""
    assert len(loading.page_with_customer(session, 5)) == 5


def test_selectin_and_limit(session, shop):
    """selectinload under a LIMIT. # expect: none"""
    assert loading.page_with_selectin(session, 5) == [3] * 5


def test_orders_of_one(session, shop):
    """One customer and its orders. # expect: none"""
    assert len(loading.report_of_one(session, 1)) == 2


def test_newest_of_all(session, shop):
    """LIMIT 1, then a collection. # expect: none"""
    assert loading.single(session, 100) == 3


def test_unique_mail(session, shop):
    """A unique lookup, then a collection. # expect: none"""
    assert loading.by_mail(session, "c1@shop.test") == 2


def test_table_of_functions(session, shop):
    """The eager load is read by functions of a dictionary. # expect: none"""
    assert len(loading.table(session)) == 12


def test_getattr(session, shop):
    """The eager load is read by getattr. # expect: none"""
    assert len(loading.pick(session)) == 12
