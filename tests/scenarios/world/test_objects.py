"""Special methods, lookups that fill themselves, resolvers, and single cursors that look like loops."""

from __future__ import annotations

from shop import objects


def test_str_lazy(session, shop):
    """__str__ reads a relationship, a join() of a generator prints."""
    assert "12: customer 5" in objects.print_labels(session)


def test_post_init(session, shop):
    """__post_init__ asks for each object."""
    assert sum(basket.price for basket in objects.baskets(session, [1, 2, 3])) == 33


def test_missing_of_a_dict(session, shop):
    """__missing__ of a dictionary asks for each key."""
    assert len(objects.names_of(session, [1, 2, 3, 4])) == 4


def test_setdefault_asks_anyway(session, shop):
    """setdefault() whose argument asks even if the key is known."""
    assert objects.remembered(session, ["key1", "key1", "key2", "key2"]) == {"key1": "1", "key2": "2"}


def test_all_of_a_generator(session, shop):
    """all() over a generator that asks for each id."""
    assert objects.all_known(session, [1, 2, 3, 4])


def test_chain_from_iterable(session, shop):
    """chain.from_iterable over a generator that asks."""
    assert len(objects.grandchildren(session, [2, 3, 4])) == 6


def test_comparator(session, shop):
    """A comparator asks twice for each comparison."""
    assert objects.by_rate(session, ["CHF", "EUR", "GBP", "USD"]) == ["EUR", "USD", "GBP", "CHF"]


def test_walrus(session, shop):
    """session.get() in a condition."""
    assert objects.existing(session, [1, 2, 3, 99]) == ["open"] * 3


def test_singledispatch(session, shop):
    """A dispatched function asks for each product."""
    assert len(objects.describe_all(session)) == 12


def test_str_joined(session, shop):
    """The same __str__ over joined customers. # expect: none"""
    assert "12: customer 5" in objects.print_joined(session)


def test_for_else(session, shop):
    """A search by for ... else that succeeds at once. # expect: none"""
    assert objects.first_sold_out(session, [1, 2, 3]) == 1


def test_takewhile(session, shop):
    """takewhile over one cursor. # expect: none"""
    assert len(objects.cheap_ones(session)) == 5


def test_fetchmany(session, shop):
    """fetchmany() of one cursor. # expect: none"""
    assert len(list(objects.in_fetches(session, 7))) == 36


def test_partitions(session, shop):
    """Partitions of one cursor. # expect: none"""
    assert objects.in_partitions(session, 10) == 4


def test_data_loader(session, shop):
    """A loader asks once for all keys, from within a loop. # expect: none"""
    assert len(objects.resolve_with_loader(session)) == 12


def test_index_access(session, shop):
    """Two indexes of a lazy sequence, on two lines. # expect: none"""
    skus = objects.LazySequence(session, 12)
    assert skus[0] == "sku0"
    assert skus[11] == "sku11"


def test_resolver_for_each_row(session, shop):
    """A resolver is called for each row through a dictionary of functions."""
    assert len(objects.resolve(session, ["customer"])) == 12
