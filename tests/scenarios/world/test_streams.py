"""Generators, callbacks, decorators and context managers."""

from __future__ import annotations

from shop import streams


def test_generator_lazy(session, shop):
    """A generator yields the rows, its consumer reads a relationship."""
    assert len(streams.labels(session)) == 12


def test_generator_pipeline(engine, shop):
    """A generator asks for each element of another generator."""
    with engine.connect() as connection:
        assert streams.bestsellers(connection)


def test_map_queries(session, shop):
    """map() with a partial that asks: no frame stands in a loop."""
    assert len(streams.names_by_map(session)) == 12


def test_sort_key_queries(session, shop):
    """sorted() with a key that asks."""
    assert streams.sorted_by_name(session)[0].customer_id == 1


def test_filter_queries(session, shop):
    """filter() with a predicate that asks; the LIMIT 1 is no pagination."""
    assert len(streams.sold_products(session)) == 12


def test_reduce_queries(session, shop):
    """functools.reduce with a function that asks."""
    assert streams.basket_price(session, [1, 2, 3, 4]) == 46


def test_max_key_lazy(session, shop):
    """max() with a key that reads a collection."""
    assert streams.longest_order(session).id == 1


def test_decorator_writes(session, shop):
    """A decorator logs each call of a loop."""
    streams.reprice_all(session)


def test_decorated_query(session, shop):
    """Decorated functions, one in a loop of the other."""
    assert len(streams.category_names(session, [1, 2, 3, 4])) == 4


def test_context_manager_queries(session, shop):
    """A context manager that asks when it is entered, in a loop."""
    assert streams.watch_all(session, ["sku1", "sku2", "sku3"]) == 150


def test_max_key_loaded(session, shop):
    """max() with a key over a loaded collection. # expect: none"""
    assert streams.longest_loaded(session).id == 1


def test_generator_of_keyset_pages(session, shop):
    """A generator that fetches page after page by key. # expect: none"""
    assert len(list(streams.all_items(session, 5))) == 36


def test_groupby_over_a_cursor(engine, shop):
    """itertools.groupby over one cursor. # expect: none"""
    with engine.connect() as connection:
        assert len(streams.grouped(connection)) == 12


def test_memo_decorator(session, shop):
    """A decorator that asks once, called in a loop. # expect: none"""
    assert streams.known(session, ["sku1", "nope", "sku2", "sku3"]) == [True, False, True, True]


def test_map_over_joined_rows(session, shop):
    """map() over the rows of one join. # expect: none"""
    assert len(streams.rows_mapped(session)) == 12


def test_two_transactions_in_a_row(session, shop):
    """Two context managers commit, one after the other, on two lines. # expect: none"""
    streams.rename_two(session)
