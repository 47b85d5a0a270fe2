"""What people look for."""

from __future__ import annotations

from datetime import date

from shop.models import Address
from shop.repositories import customers, search


def test_addresses_in_a_city(session):
    customer = customers.all_customers(session)[0]
    session.add(Address(customer=customer, street="Long Street 2", city="Oslo"))
    assert [address.customer.name for address in search.addresses_in(session, "Oslo")] == [customer.name]


def test_email_in_any_case(session):
    customer = customers.all_customers(session)[0]
    assert search.customer_by_email(session, customer.email.upper()) is customer


def test_exact_email(session):
    customer = customers.all_customers(session)[0]
    assert search.exact_email(session, customer.email) is customer
    assert search.exact_email(session, "nobody") is None


def test_best_reviews(session):
    stars = [review.stars for review in search.best_reviews(session, 3)]
    assert stars == sorted(stars, reverse=True)


def test_latest_orders(session):
    days = [order.placed_on for order in search.placed_since(session, date(2000, 1, 1), 3)]
    assert days == sorted(days, reverse=True)


def test_unpaid(session):
    customer = customers.all_customers(session)[0]
    assert all(order.customer_id == customer.id for order in search.unpaid_of(session, customer.id))
