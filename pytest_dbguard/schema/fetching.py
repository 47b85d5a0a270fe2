"""How catalogs are asked for: one text at a time, whatever driver or kind of row answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Fetch = Callable[[str], Sequence[Any]]
"""Runs one SQL text without parameters and returns its rows: tuples, mappings, or what else a driver makes of them."""


def fetched_text(fetch: Fetch, sql: str) -> str:
    """Run a query whose answer is one row with one column of text; "" where that is null or there is no row."""
    rows = fetch(sql)
    if not rows:
        return ""
    row = rows[0]
    value = next(iter(row.values())) if isinstance(row, Mapping) else row[0]
    # A PostgreSQL database of the encoding SQL_ASCII gives bytes.
    return str(value, "utf-8", "replace") if isinstance(value, bytes | memoryview) else value or ""


def fetched_json(fetch: Fetch, sql: str) -> Any:
    """Run a query whose answer is one JSON text, and return what it holds; None where there is none."""
    text = fetched_text(fetch, sql)
    return json.loads(text) if text else None
