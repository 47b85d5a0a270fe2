"""Caches in front of questions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.models import Customer, Order, Product, Rate, Setting


class RateCache:
    """Remember each rate: useless where each currency is asked for once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.known: dict[str, int] = {}

    def value(self, currency: str) -> int:
        if currency not in self.known:
            stmt = select(Rate.value).where(Rate.currency == currency)
            value = self.session.scalars(stmt).one()  # expect: DBG103 rate @test_cache_that_always_misses
            self.known[currency] = value
        return self.known[currency]


def converted(session: Session, currencies: list[str]) -> int:
    cache = RateCache(session)
    total = 0
    for currency in currencies:  # loop: DBG103 rate @test_cache_that_always_misses
        total += cache.value(currency)
    return total


def product_lookup(session: Session) -> Callable[[int], str]:
    @lru_cache(maxsize=64)
    def name(pk: int) -> str:
        stmt = select(Product.name).where(Product.id == pk)
        return session.scalars(stmt).one()  # expect: DBG103 product @test_lru_cache_misses

    return name


def product_names(session: Session, ids: list[int]) -> list[str]:
    name = product_lookup(session)
    return [name(pk) for pk in ids]  # loop: DBG103 product @test_lru_cache_misses


class Settings:
    """All settings, read once."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @cached_property
    def values(self) -> dict[str, str]:
        return {setting.key: setting.value for setting in self.session.scalars(select(Setting))}

    def get(self, key: str) -> str | None:
        return self.values.get(key)


class UncachedSettings(Settings):
    """A property that somebody forgot to cache."""

    @property
    def values(self) -> dict[str, str]:  # type: ignore[override]
        rows = self.session.scalars(select(Setting)).all()  # expect: DBG103 setting @test_forgotten_cache
        return {setting.key: setting.value for setting in rows}


def read_settings(settings: Settings, keys: list[str]) -> list[str | None]:
    return [settings.get(key) for key in keys]  # loop: DBG103 setting @test_forgotten_cache


def labels(session: Session) -> list[str]:
    """Look customers up in a dictionary filled by one statement."""
    names = {customer.id: customer.name for customer in session.scalars(select(Customer))}
    return [names[order.customer_id] for order in session.scalars(select(Order))]


def warmed(session: Session, ids: list[int]) -> list[str | None]:
    """Warm the identity map, then get one by one."""
    products = session.scalars(select(Product).where(Product.id.in_(ids))).all()
    names = []
    for pk in ids:
        product = session.get(Product, pk)
        names.append(product.name if product else None)
    assert len(products) == len(names)
    return names


def vat(session: Session) -> str:
    return session.scalars(select(Setting.value).where(Setting.key == "key2")).one()


def priced(session: Session, ids: list[int]) -> list[int]:
    """A helper that asks, hoisted out of the loop by its caller."""
    factor = int(vat(session))
    return [pk * factor for pk in ids]
