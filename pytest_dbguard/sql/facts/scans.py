"""Scans while they are being found out about: what grows until the statement is read to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from sqlglot import exp

from pytest_dbguard.sql.facts.model import Alternative, Scan, SortKey, Term, Wrapping


class Reach(IntEnum):
    """Which conditions of an outer query arrive at a column of an inner one."""

    NONE = 0
    """None: a LIMIT, an aggregate, a window stands between."""
    VALUES = 1
    """Comparisons with values: through GROUP BY, DISTINCT, UNION."""
    ALL = 2
    """Joins too: the planner makes one query of both."""


@dataclass(slots=True)
class Query:
    """One SELECT, or the statement itself: its number, and whether it runs once a row of an outer one."""

    number: int
    is_correlated: bool = False
    parent: Query | None = None

    @property
    def is_once(self) -> bool:
        """Whether it, or one around it, is correlated."""
        return self.is_correlated or (self.parent is not None and self.parent.is_once)


@dataclass(slots=True, eq=False)
class ScanDraft:
    """One table as one query reads it, so far.

    `is_restricted` says that some condition names it, `is_unindexed` that it is read without any index.
    """

    alias: str
    table: str
    schema: str
    query: Query
    known: dict[str, str] | None
    is_written: bool = False
    is_outer: bool = False
    is_whole: bool = False
    is_joined: bool = False
    is_restricted: bool = False
    is_unindexed: bool = False
    has_limit: bool = False
    limit_ordinal: int | None = None
    order: tuple[SortKey, ...] = ()
    groups: tuple[str, ...] = ()
    terms: dict[Term, None] = field(default_factory=dict)
    alternatives: list[Alternative] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)

    def finished(self) -> Scan:
        """Return it as it is told."""
        return Scan(
            alias=self.alias,
            table=self.table,
            schema=self.schema,
            query=self.query.number,
            terms=() if self.is_unindexed else tuple(self.terms),
            alternatives=() if self.is_unindexed else tuple(self.alternatives),
            order=self.order,
            has_limit=self.has_limit,
            limit_ordinal=self.limit_ordinal,
            groups=self.groups,
            columns=frozenset(self.columns),
            read=frozenset(self.read),
            is_whole=self.is_whole,
            is_outer=self.is_outer,
            is_written=self.is_written,
            is_unfiltered=not (self.terms or self.alternatives or self.is_joined or self.is_restricted),
            is_once=self.query.is_once,
        )


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of a table, or an expression of one, as it is seen from where it is named.

    Attributes:
        scan: What reads the table.
        column: Its name.
        reach: What may be said about it there.
        wrapping: What an inner query does to it.
        expression: The expression of an inner query; None for the plain column.
    """

    scan: ScanDraft
    column: str
    reach: Reach = Reach.ALL
    wrapping: Wrapping = Wrapping.NONE
    expression: exp.Expr | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a name of a column stands for.

    Attributes:
        leaf: The element of FROM that it comes from.
        name: Of the column there.
        refs: The columns of tables behind it: one, several of a UNION, none where it is computed.
        is_local: Whether the element belongs to the query that names it, not to one around it.
    """

    leaf: Leaf
    name: str
    refs: tuple[Ref, ...]
    is_local: bool

    @property
    def place(self) -> tuple[str, str]:
        """(alias, column): of the table where it is one column of one, else of the element of FROM."""
        ref = self.plain
        return (self.leaf.alias, self.name) if ref is None else (ref.scan.alias, ref.column)

    @property
    def query(self) -> int:
        """Number of the query that `place` belongs to."""
        ref = self.plain
        return self.leaf.query.number if ref is None else ref.scan.query.number

    @property
    def plain(self) -> Ref | None:
        """The column, where it is one without anything around it."""
        return self.refs[0] if len(self.refs) == 1 and self.refs[0].wrapping is Wrapping.NONE else None


@dataclass(slots=True, eq=False)
class Leaf:
    """One element of FROM.

    Attributes:
        alias: Its name in the query.
        query: The query that it belongs to.
        scan: What reads it, where it is a table.
        outputs: Its columns by key, where it is a query or tells them.
        is_open: Whether it may have further columns.
        rest: The one table that further columns come from; None where that is not known.
        rest_reach: What arrives at these.
    """

    alias: str
    query: Query
    scan: ScanDraft | None = None
    outputs: dict[str, Output] = field(default_factory=dict)
    is_open: bool = False
    rest: ScanDraft | None = None
    rest_reach: Reach = Reach.NONE


@dataclass(frozen=True, slots=True)
class Output:
    """One column that a query gives to the one around it: its name, and the columns of tables behind it."""

    name: str
    refs: tuple[Ref, ...] = ()


@dataclass(slots=True, eq=False)
class QueryInfo:
    """What is known of a query once it was read.

    Attributes:
        query: Its number; of a UNION that of its first branch.
        outputs: Its columns in order.
        is_open: Whether it gives further columns that nobody told (`*`).
        rest: The one table that these come from; None where that is not known.
        is_simple: Whether rows come out of it as they are read: no groups, limits, windows, UNION.
        outer_pairs: (own column, column of a query around) that must be equal.
        free: Elements of its FROM that conditions arrive at, those of outer joins left out.
    """

    query: Query
    outputs: list[Output] = field(default_factory=list)
    is_open: bool = False
    rest: ScanDraft | None = None
    is_simple: bool = True
    outer_pairs: list[tuple[Found, Found]] = field(default_factory=list)
    free: list[Leaf] = field(default_factory=list)

    def plain_output(self, number: int) -> Ref | None:
        """Return the column of a table that one of its columns is; None for all else."""
        refs = self.outputs[number].refs if number < len(self.outputs) else ()
        return refs[0] if len(refs) == 1 and refs[0].wrapping is Wrapping.NONE else None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a WITH: its columns, the names that it gives them, and how far conditions arrive within."""

    info: QueryInfo
    names: tuple[str, ...] = ()
    reach: Reach = Reach.ALL
