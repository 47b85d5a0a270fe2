"""Tells for every table and index of a catalog how many pages, rows and levels the planner is to believe in."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog


@dataclass(frozen=True, slots=True)
class RelationSize:
    """One table or index.

    Attributes:
        schema: Its schema.
        name: Its name.
        pages: Of 8 192 bytes; 0 for a partitioned table and its indexes, which hold nothing.
        rows: What `reltuples` is to say.
        all_visible: What `relallvisible` is to say; 0 for an index.
        table: Name of the table of an index; "" for a table.
        method: Access method of an index; "" for a table.
        height: Levels above the leaves of a B-tree; None for anything else.
    """

    schema: str
    name: str
    pages: int
    rows: float
    all_visible: int = 0
    table: str = ""
    method: str = ""
    height: int | None = None


def relation_sizes(catalog: Catalog, statistics: Statistics, *, major: int) -> tuple[RelationSize, ...]:
    """Return the sizes of all tables that are stored and of their indexes: each table before its indexes.

    What the statistics tell of an index counts; what they do not is computed.
    """
    raise NotImplementedError
