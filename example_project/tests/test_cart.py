"""From a cart to an order."""

from __future__ import annotations

import pytest
from shop.models import Customer
from shop.services import cart


def test_price(session):
    assert cart.price_cents(session, {1: 1, 2: 2, 3: 1}) == 800


def test_unknown_product(session):
    with pytest.raises(LookupError):
        cart.price_cents(session, {99: 1})


def test_place_order(session):
    order = cart.place_order(session, session.get(Customer, 1), "NEW", {1: 1, 2: 2, 3: 3})
    assert sum(line.amount_cents for line in order.lines) == 1400


def test_reserve(session):
    assert cart.reserve(session, "P2") == 3


def test_reserve_when_busy(session):
    assert cart.reserve(session, "P2", fails=2) == 3


def test_reserve_gives_up(session):
    with pytest.raises(TimeoutError):
        cart.reserve(session, "P2", fails=3)
