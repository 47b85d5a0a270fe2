"""Plans as trees: what a planner would do, with its own estimates. The same type for PostgreSQL and SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Access(StrEnum):
    """What a node does, in the words that both databases share."""

    SEQUENTIAL = "sequential scan"
    INDEX = "index scan"
    INDEX_ONLY = "index-only scan"
    BITMAP = "bitmap scan"
    AUTOMATIC_INDEX = "automatic index"
    SORT = "sort"
    HASH = "hash"
    NESTED_LOOP = "nested loop"
    HASH_JOIN = "hash join"
    MERGE_JOIN = "merge join"
    AGGREGATE = "aggregate"
    TEMPORARY = "temporary"
    SUBPLAN = "subplan"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a plan.

    Attributes:
        access: What it does.
        text: How the database calls it, without literals: `Seq Scan on orders`, `SCAN orders`.
        table: The table that it reads; "" for others.
        alias: The table's alias.
        schema: The table's schema.
        index: The index that it uses; "" without one.
        rows: Rows that the planner expects of one execution; None for SQLite, which does not tell.
        width: Bytes a row; None likewise.
        startup_cost: Up to the first row, in the planner's unit; None likewise.
        total_cost: Up to the last row; None likewise.
        condition: `Index Cond`, `Filter`, `Hash Cond` and so on, by their names, without literals.
        sort_key: What it sorts by, without literals.
        children: Nodes that it reads from, outer side first.
        is_partial: Whether it is of a partial mode (parallel).
    """

    access: Access
    text: str
    table: str = ""
    alias: str = ""
    schema: str = ""
    index: str = ""
    rows: float | None = None
    width: int | None = None
    startup_cost: float | None = None
    total_cost: float | None = None
    condition: tuple[tuple[str, str], ...] = ()
    sort_key: tuple[str, ...] = ()
    children: tuple[Node, ...] = field(default=())
    is_partial: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it reads a whole table, or an index from end to end (unless something above stops early)."""
        if self.access in (Access.INDEX, Access.INDEX_ONLY):
            return not any(name == "Index Cond" for name, _ in self.condition)
        return self.access is Access.SEQUENTIAL

    def walk(self) -> Iterator[Node]:
        """Yield this node and those below, outer side first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a statement.

    Attributes:
        root: The topmost node.
        cost: Total cost; None for SQLite.
        settings: Planner settings that it was made with, where they are not the default.
    """

    root: Node
    cost: float | None = None
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def indexes(self) -> frozenset[str]:
        """Names of the indexes that it uses."""
        return frozenset(node.index for node in self.root.walk() if node.index)
