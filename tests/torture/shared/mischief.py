"""What nasty tests do again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import engines
from models import Shop
from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

KEPT: list[object] = []
COUNT = select(func.count(Shop.id))
WRITE = text("INSERT INTO node DEFAULT VALUES")


def keep(something: Any) -> Any:
    """Keep something from being collected, and return it."""
    KEPT.append(something)
    return something


def write(*statements: str) -> Sequence[Row[Any]]:
    """Commit statements in one transaction, and return the rows of the last one."""
    with engines.primary.begin() as connection:
        for statement in statements:
            result = connection.execute(text(statement))
        return result.fetchall() if result.returns_rows else []


def add_shop() -> None:
    """Commit a shop, which gets the number behind the first one's."""
    with Session(engines.primary) as session:
        shop = Shop(name="new")
        session.add(shop)
        session.commit()
        assert shop.id == 2
