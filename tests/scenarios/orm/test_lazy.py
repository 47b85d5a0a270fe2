"""Relationships that are loaded for one parent after the other, and single loads that look like it."""

from __future__ import annotations

from shop import orders


def test_names(session):
    """The classic: each order's customer."""
    assert len(orders.customer_names(session)) == 13


def test_item_counts(session):
    """A comprehension over several lines that counts each order's items."""
    assert sum(orders.item_counts(session).values()) == 38


def test_levels(session):
    """Three levels of lazy loads below one query."""
    assert len(orders.shopping_lists(session)) == 6


def test_one_to_one(session):
    """The other side of a one-to-one relationship, customer by customer."""
    assert orders.nicknames(session)[0] == "nick-0"


def test_sort_key(session):
    """The key of a sort loads; no loop stands anywhere."""
    assert orders.by_customer_name(session)[0] == "n-12"


def test_sum(session):
    """Generator expressions, one in the other."""
    assert orders.total_quantity(session) == 82


def test_while_pop(session):
    """A list that is worked off from its end."""
    assert len(orders.work_off(session)) == 38


def test_page(session):
    """A page of five is still one query a row."""
    assert len(orders.first_page(session)) == 5


def test_method_filter(session):
    """A filter calls a method of the model that loads."""
    assert orders.heavy_orders(session) == ["n-12"]


def test_any(session):
    """A search through all orders that finds nothing."""
    assert orders.any_bulk(session) == "none is bulk"


def test_enumerate(session):
    """A loop over two lists at once."""
    assert len(orders.numbered(session)) == 13


def test_layers(session):
    """Repository, presenter and service: query, access and loop in three places."""
    assert "n-3 name-1" in orders.table(orders.Orders(session))


def test_generator(session):
    """A generator loads while its consumer collects."""
    assert "lonely" in list(orders.owners(orders.Orders(session).each()))


def test_two_in_line(session):
    """Two relationships in one line, the second below the first."""
    assert orders.who_and_where(session)[-1] == "north"


# --- as it should be ---


def test_detail_page(session):
    """One order's page loads each relationship once. # expect: none"""
    assert orders.page_of(session, 1)["region"] == "north"


def test_two_orders_compared(session):
    """Two orders, each found by its number, each with its items. # expect: none"""
    assert orders.compare(session, "n-1", "n-2") == 0


def test_newest_owner(session):
    """Many orders, and the customer of one of them. # expect: none"""
    assert orders.newest_owner(session)[1] == "lonely"


def test_joined_rows(session):
    """A join of columns has nothing to load. # expect: none"""
    assert len(orders.joined_rows(session)) == 13


def test_foreign_key_only(session):
    """The foreign key is read, the relationship is not. # expect: none"""
    assert len(orders.orders_by_customer_id(session)) == 7


def test_names_from_map(session):
    """All customers are at hand when the orders ask for them. # expect: none"""
    assert len(orders.names_from_map(session)) == 13


def test_items_in_one_go(session):
    """The items of all orders with one IN, grouped in Python. # expect: none"""
    assert orders.items_in_one_go(session)["n-0"] == [1, 2, 3]


def test_counts_by_database(session):
    """The database counts. # expect: none"""
    assert orders.counts_by_database(session)["n-12"] == 2


def test_columns_in_loop(session):
    """A loop that reads columns only. # expect: none"""
    assert orders.cheapest(session)[0] == "sku-0: 0"
