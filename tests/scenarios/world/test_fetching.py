"""Over-fetching, and fetching what is used."""

from __future__ import annotations

from shop import fetching


def test_len_of_all(session, shop):
    """len() of all rows."""
    assert fetching.how_many_open(session) == 12


def test_len_of_a_name(engine, shop):
    """Rows get a name of which only the length is taken."""
    with engine.connect() as connection:
        assert fetching.how_many_items(connection) == 36


def test_if_all(session, shop):
    """Rows are fetched to know whether there are any."""
    assert fetching.has_orders(session, 1) == "has orders"


def test_not_all(session, shop):
    """The same, negated."""
    assert not fetching.is_gone(session, "sku1")


def test_first_of_all(session, shop):
    """The first of all rows."""
    assert fetching.newest(session).id == 12


def test_first_without_limit(session, shop):
    """first() of a result has no LIMIT: the database sends all rows."""
    assert fetching.cheapest(session).sku == "sku0"


def test_legacy_len(session, shop):
    """len() of Query.all()."""
    assert fetching.legacy_count(session) == 2


def test_counted_by_the_database(session, shop):
    """count(*). # expect: none"""
    assert fetching.counted(session) == 12


def test_exists(session, shop):
    """EXISTS. # expect: none"""
    assert fetching.any_order(session, 1)


def test_first_with_limit(session, shop):
    """LIMIT 1. # expect: none"""
    assert fetching.newest_limited(session).id == 12


def test_first_by_primary_key(session, shop):
    """first() of a lookup by primary key. # expect: none"""
    assert fetching.by_key(session, "key1").value == "1"


def test_first_by_unique_column(session, shop):
    """first() of a lookup by a unique column. # expect: none"""
    assert fetching.by_mail(session, "c1@shop.test").id == 2


def test_count_and_use(session, shop):
    """The rows are counted and used. # expect: none"""
    assert fetching.page_of_orders(session)["amount"] == 12


def test_first_and_the_rest(session, shop):
    """The first row and the others. # expect: none"""
    assert fetching.first_and_rest(session)[0] == 100


def test_guard_before_use(session, shop):
    """An early return, then the rows are used. # expect: none"""
    assert len(fetching.log_if_any(session)) == 12


def test_rows_handed_on(session, shop):
    """The caller decides; the length is asked by the test. # expect: none"""
    items = fetching.handed_on(session)
    assert len(items) == 36
    assert items[0].id


def test_query_first(session, shop):
    """Query.first() limits itself. # expect: none"""
    assert fetching.first_query_limited(session).id == 1


def test_first_of_an_aggregate(session, shop):
    """first() of an aggregate. # expect: none"""
    assert fetching.aggregate_first(session) == 111


def test_distinct_in_python(session, shop):
    """The length of a set made from the rows. # expect: none"""
    assert fetching.distinct_mails(session) == 1
