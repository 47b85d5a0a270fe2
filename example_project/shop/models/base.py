"""The declarative base, with names for all constraints so that migrations can drop them."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Enum, MetaData
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(AsyncAttrs, DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMES)


class WithId:
    """A table with a surrogate key."""

    id: Mapped[int] = mapped_column(primary_key=True)


def status_type(enum: type[StrEnum]) -> Enum:
    """Return a column type that stores the members' values as short text."""
    return Enum(enum, native_enum=False, length=20, values_callable=lambda members: [m.value for m in members])
