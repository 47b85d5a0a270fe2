"""Indexes that others make superfluous: equal ones, and those that are the beginning of another."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_dbguard.schema.catalog import Catalog, Index, Table


@dataclass(frozen=True, slots=True)
class Redundant:
    """An index that can go: `by` serves all that it serves; `reason` is "equal" or "prefix"."""

    table: Table
    index: Index
    by: Index
    reason: str


def redundant(catalog: Catalog) -> tuple[Redundant, ...]:
    """Return the indexes that can be dropped without loss, by table and name; never both of an equal pair."""
    return ()
