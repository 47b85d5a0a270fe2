"""Tells whether a statement can return one row only, since it compares a unique column by `=`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pytest_dbguard.recording.calls import OriginOption

_BY_ID = re.compile(r"\bid = \?", re.IGNORECASE)


def is_unique_lookup(origin: OriginOption) -> bool:
    """Whether an ORM statement compares a unique column of its entity by `=`; also where no entity is known."""
    mapper = origin.mapper
    if mapper is None:
        return True
    text = origin.statement.shape.text.replace('"', "")
    return any(
        columns and all(_compares(text, table.name, column.name) for column in columns)
        for table in mapper.tables
        for columns in _unique(table)
    )


def pins(origin: OriginOption, columns: Iterable[Any]) -> bool:
    """Whether an ORM statement compares all these columns by `=`: its rows are alike in them."""
    text = origin.statement.shape.text.replace('"', "")
    return all(_compares(text, column.table.name, column.name) for column in columns)


def names_an_id(text: str) -> bool:
    """Whether a statement of which no entity is known compares a column `id` by `=`."""
    return _BY_ID.search(text.replace('"', "")) is not None


def _unique(table: Any) -> Iterator[list[Any]]:
    """Yield the columns of each key of a table."""
    yield from (list(constraint.columns) for constraint in getattr(table, "constraints", ()) if _is_key(constraint))
    yield from (list(index.columns) for index in getattr(table, "indexes", ()) if index.unique)
    yield from ([column] for column in table.columns if getattr(column, "unique", False))


def _compares(text: str, table: str, column: str) -> bool:
    """Whether the text says `table.column = ?`, by an alias as SQLAlchemy names them too; not `other_column = ?`."""
    name = rf"(?<![\w.])(?:{re.escape(table)}(?:_\d+)?\.)?{re.escape(column)}"
    return re.search(rf"{name} = \?", text) is not None


def _is_key(constraint: Any) -> bool:
    return type(constraint).__name__ in ("PrimaryKeyConstraint", "UniqueConstraint")
