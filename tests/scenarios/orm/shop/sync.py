"""Merges what other systems send into the shop's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shop.models import Account, Product


def merge_products(session: Session, payload: Iterable[Mapping[str, Any]]) -> None:
    for row in payload:  # loop: DBG103 product @test_merge_each
        session.merge(Product(**row))  # expect: DBG103 product @test_merge_each
    session.commit()


def merge_accounts(session: Session, payload: Iterable[Mapping[str, Any]]) -> list[Account]:
    return [session.merge(Account(**row)) for row in payload]  # expect: DBG103 account @test_merge_comprehension # loop: DBG103 account @test_merge_comprehension  # noqa: E501 # fmt: skip


def merge_known(session: Session, payload: list[Mapping[str, Any]]) -> int:
    known = session.scalars(select(Product).where(Product.id.in_([row["id"] for row in payload]))).all()
    for row in payload:  # loop: DBG104 product @test_merge_known
        # nothing is read, but merge() flushes first: one UPDATE for each round
        session.merge(Product(**row))  # expect: DBG104 product @test_merge_known
    session.flush()
    return sum(product.price for product in known)


# --- as it should be ---


def merge_one(session: Session, row: Mapping[str, Any]) -> Product:
    product = session.merge(Product(**row))
    session.commit()
    return product


def merge_known_unflushed(session: Session, payload: list[Mapping[str, Any]]) -> int:
    known = session.scalars(select(Product).where(Product.id.in_([row["id"] for row in payload]))).all()
    with session.no_autoflush:
        for row in payload:
            session.merge(Product(**row))
    session.flush()
    return sum(product.price for product in known)


def adopt(session: Session, accounts: Iterable[Account]) -> list[str]:
    return [session.merge(account, load=False).name for account in accounts]


def update_prices(session: Session, payload: list[Mapping[str, Any]]) -> None:
    session.execute(update(Product), list(payload))
    session.commit()
