"""Templates and serialisers that read relationships."""

from __future__ import annotations

from shop import pages_html, schemas


def test_template_lazy(session, shop):
    """A template loops over orders and reads their customers."""
    assert "customer 5" in pages_html.order_list(session)


def test_template_macro_lazy(session, shop):
    """A macro of a template reads the product of each item."""
    assert "product 2" in pages_html.invoice(session, 1)


def test_template_calls_a_function(session, shop):
    """A template's loop calls a function of the application that asks."""
    assert pages_html.totals_page(session, [1, 2, 3]) == "100 101 102 "


def test_pydantic_lazy(session, shop):
    """from_attributes reads a relationship of each order."""
    assert len(schemas.orders_lazy(session)) == 12


def test_marshmallow_lazy(session, shop):
    """marshmallow's many=True loops in the library: dump() is the application's line."""
    assert len(schemas.dumped_lazy(session)) == 12


def test_marshmallow_method(session, shop):
    """A method field asks for each object, the library loops: dump() is the repeating call."""
    assert {row["items"] for row in schemas.dumped_counts(session)} == {3}


def test_template_joined(session, shop):
    """The same template over joined customers. # expect: none"""
    assert "customer 5" in pages_html.order_list_joined(session)


def test_template_of_one_customer(session, shop):
    """A template loops over the orders of one customer. # expect: none"""
    assert pages_html.customer_page(session, 1) == "customer 0 100 101"


def test_pydantic_loaded(session, shop):
    """All that the model reads is loaded. # expect: none"""
    assert len(schemas.orders_loaded(session)) == 12


def test_pydantic_of_one(session, shop):
    """One order and its relationships. # expect: none"""
    assert len(schemas.one_order(session, 1)["items"]) == 3


def test_pydantic_columns_only(session, shop):
    """The model reads columns only. # expect: none"""
    assert schemas.summaries(session)[0]["url"].startswith("/orders/")


def test_marshmallow_joined(session, shop):
    """many=True over joined customers. # expect: none"""
    assert len(schemas.dumped_joined(session)) == 12


def test_dictionaries_by_hand(session, shop):
    """Nested comprehensions over loaded collections. # expect: none"""
    assert len(schemas.customers_by_hand(session)) == 6
