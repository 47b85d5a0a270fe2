"""A schema of BENCH_TABLES tables: groups of five that reference each other, and group to group."""

from __future__ import annotations

import os
from datetime import datetime

from sqlalchemy import ForeignKey, Identity, MetaData, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

GROUP = 5
GROUPS_USED = 3
TABLES = int(os.environ["BENCH_TABLES"])


class Base(DeclarativeBase):
    metadata = MetaData()


class Columns:
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    number: Mapped[int]
    name: Mapped[str] = mapped_column(index=True)
    note: Mapped[str | None]
    created: Mapped[datetime] = mapped_column(server_default=func.now())


def make_model(number: int) -> type[Base]:
    """Return a model whose rows belong to a row of the table before; the first of a group to the group before."""
    is_first = number % GROUP == 0
    parent = number - GROUP if is_first else number - 1
    body: dict[str, object] = {"__tablename__": f"table_{number}"}
    if parent >= 0:
        body["parent_id"] = mapped_column(ForeignKey(f"table_{parent}.id"), index=True, nullable=is_first)
    return type(f"Table{number}", (Columns, Base), body)


MODELS = [make_model(number) for number in range(TABLES)]


def group(number: int) -> list[type[Base]]:
    """Return the five models that a test works with, parents first; every third test works with the same ones."""
    start = number % GROUPS_USED * (TABLES // GROUP // GROUPS_USED) * GROUP
    return MODELS[start : start + GROUP]
