"""Tells whether a statement can return one row only, since it compares a unique column by `=`."""

from __future__ import annotations

import re
from typing import Any

from pytest_dbguard.recording.calls import OriginOption

_BY_ID = re.compile(r"\bid = \?", re.IGNORECASE)


def is_unique_lookup(origin: OriginOption) -> bool:
    """Whether an ORM statement compares a unique column of its entity by `=`; also where no entity is known."""
    mapper = origin.mapper
    if mapper is None:
        return True
    table = mapper.local_table
    unique = [list(constraint.columns) for constraint in getattr(table, "constraints", ()) if _is_key(constraint)]
    unique += [list(index.columns) for index in getattr(table, "indexes", ()) if index.unique]
    unique += [[column] for column in table.columns if getattr(column, "unique", False)]
    text = origin.statement.shape.text.replace('"', "")
    return any(columns and all(f"{column.name} = ?" in text for column in columns) for columns in unique)


def names_an_id(text: str) -> bool:
    """Whether a statement of which no entity is known compares a column `id` by `=`."""
    return _BY_ID.search(text.replace('"', "")) is not None


def _is_key(constraint: Any) -> bool:
    return type(constraint).__name__ in ("PrimaryKeyConstraint", "UniqueConstraint")
