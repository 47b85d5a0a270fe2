"""In what order tables of PostgreSQL are emptied where foreign keys cannot be put out of action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from pytest_dbguard.resets.postgres_state import Copy

Keys = Sequence[tuple[int, int]]


def closure(tables: Iterable[int], keys: Keys, copies: Mapping[int, Copy]) -> set[int]:
    """Return the tables, and those with rows that refer to rows which are taken away for a moment."""
    found = set(tables)
    waiting = [oid for oid in found if oid in copies]
    while waiting:
        referenced = waiting.pop()
        for one, other in keys:
            if other == referenced and one in copies and one not in found:
                found.add(one)
                waiting.append(one)
    return found


def referring(tables: Iterable[int], keys: Keys) -> set[int]:
    """Return the tables and all that refer to them, directly or not: what TRUNCATE wants to be named."""
    found = set(tables)
    waiting = list(found)
    while waiting:
        referenced = waiting.pop()
        new = {one for one, other in keys if other == referenced} - found
        found |= new
        waiting += new
    return found


def children_first(tables: Iterable[int], keys: Keys) -> list[int] | None:
    """Return the tables with each before those that it refers to; None when they refer to each other in a circle."""
    wanted = set(tables)
    sorter: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(sorted(wanted), ()))
    for one, other in keys:
        if one in wanted and other in wanted:
            sorter.add(other, one)
    try:
        return list(sorter.static_order())
    except CycleError:
        return None
