"""Writes values as SQL literals."""

from __future__ import annotations

import math

Value = str | int | float | bool | None


def literal(value: Value, *, is_postgres: bool) -> str | None:
    """Return a value as the dialect writes it; None for one that has no literal. Negative numbers are in parentheses.

    A text is safe in PostgreSQL with `standard_conforming_strings`, the default since 9.1, and in SQLite.
    """
    if isinstance(value, bool):
        return str(value).upper() if is_postgres else str(int(value))
    if isinstance(value, str):
        return None if "\x00" in value else "'" + value.replace("'", "''") + "'"
    if value is None:
        return "NULL"
    # nothing but these types is known to come back from `repr` as SQL reads it
    if type(value) not in (int, float) or not math.isfinite(value):
        return None
    return f"({value!r})" if value < 0 else repr(value)
