"""What is known of a statement once it is parsed: for each table that it reads, the terms that an index could serve."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class TermKind(StrEnum):
    """What an index can do for a term."""

    EQUAL = "equal"
    """`column = value`, also a bare boolean column."""
    LIST = "list"
    """`column IN (values)`, `= ANY(array)`: many single values, so the order behind it is lost."""
    NULL = "null"
    """`column IS NULL`."""
    JOIN = "join"
    """`column = column of another table`, also of an outer query (correlated), also IN (subquery)."""
    RANGE = "range"
    """`<`, `<=`, `>`, `>=`, BETWEEN."""
    PREFIX = "prefix"
    """LIKE or GLOB with a pattern that begins with letters, or one whose class is not known (`pattern` tells)."""
    OTHER = "other"
    """What no B-tree serves: `<>`, NOT IN, LIKE '%x', JSON operators, expressions of several columns, and what is
    not known. Of a function, a cast or arithmetic around one column the kind tells what it would be without."""


class Wrapping(StrEnum):
    """What stands between an index and the column of a term."""

    NONE = ""
    FUNCTION = "function"
    CAST = "cast"
    ARITHMETIC = "arithmetic"
    COLLATE = "collate"


@dataclass(frozen=True, slots=True)
class Term:
    """One condition on one column of one scan.

    Attributes:
        column: The column's name.
        kind: What an index could do for it.
        wrapping: What is done to the column before it is compared.
        expression: SQL of the wrapped column without the table's alias (`lower(email)`), parameters as `?`; the
            column's name else.
        other: (alias, column) of the other side of a join, where it is one column; None otherwise. The alias may be
            that of a function, VALUES or a CTE, of which there is no scan.
        other_wrapping: What is done to the other side of a join.
        pattern: For LIKE: "prefix", "leading" (begins with a wildcard), "exact", "unknown"; "" for others.
        is_case_insensitive: ILIKE; SQLite's LIKE, which always is, is not marked.
        operand: "literal", "parameter", "column", "subquery", "expression" (of values only), "null".
        operand_type: Type that a cast gives the operand (`INTEGER` of `?::INTEGER`), in capitals; NUMERIC of a number
            with a point in PostgreSQL; "" otherwise.
        ordinal: Number of the parameter in the text, from 0, as `Explainable.ordinals` counts them; None otherwise.
        is_negated: Whether NOT stands before it; such terms are of kind OTHER. IS NOT NULL has the operand "null".
        operator: As SQL writes it, in capitals: `=`, `<`, `LIKE`, `GLOB`, `@>`; "" where it has none.
        other_query: Number of the query that `other` belongs to; None without one.
        cast_to: Type that a cast gives the column, in capitals; "" otherwise.
        condition: SQL of the whole condition without aliases, where it holds no parameter, to be compared with the
            predicates of partial indexes; "" otherwise. It may hold literals: never show it.
    """

    column: str
    kind: TermKind
    wrapping: Wrapping = Wrapping.NONE
    expression: str = ""
    other: tuple[str, str] | None = None
    other_wrapping: Wrapping = Wrapping.NONE
    pattern: str = ""
    is_case_insensitive: bool = False
    operand: str = ""
    operand_type: str = ""
    ordinal: int | None = None
    is_negated: bool = False
    operator: str = ""
    other_query: int | None = None
    cast_to: str = ""
    condition: str = ""

    @property
    def is_sargable(self) -> bool:
        """Whether an index on the plain column could serve it."""
        is_plain = self.wrapping is Wrapping.NONE and not self.is_case_insensitive
        return is_plain and self.kind is not TermKind.OTHER and self.pattern != "leading"


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of ORDER BY: the column of this scan, or None for anything else (`expression` tells)."""

    column: str | None
    expression: str
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """The branches of one OR, each a tuple of terms that must all hold; a branch may be of other scans (then empty)."""

    branches: tuple[tuple[Term, ...], ...]
    is_of_one_scan: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """One table as one query reads it.

    Attributes:
        alias: Its name in the query.
        table: Name of the base table, as written without quotes.
        schema: As written; "" without one.
        query: Number of the query (SELECT, or the statement itself) it belongs to, from 0, outermost first.
        terms: Conditions that must all hold: of WHERE, and of ON where they bind this side.
        alternatives: ORs, each with its branches.
        order: ORDER BY of its query, where all keys are of this scan and rows come out as they are read; () otherwise.
        has_limit: Whether its query stops early: LIMIT without groups, aggregates, DISTINCT and window functions.
        limit_ordinal: Number of the LIMIT's parameter; None without one or where it is a literal or an expression.
        groups: Columns of GROUP BY or DISTINCT that are of this scan.
        columns: All columns of it that the statement names; `is_whole` where it says `*`.
        read: Those of them that are named elsewhere than in equations that join it.
        is_whole: Whether `*` asks for all columns.
        is_outer: Whether it is the nullable side of an outer join.
        is_written: Whether the statement changes this table (UPDATE, DELETE, the target of MERGE).
        is_unfiltered: Whether nothing restricts it: no term, no alternative, no join.
        is_once: Whether the query it belongs to runs once a row of an outer query.
    """

    alias: str
    table: str
    schema: str = ""
    query: int = 0
    terms: tuple[Term, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    order: tuple[SortKey, ...] = ()
    has_limit: bool = False
    limit_ordinal: int | None = None
    groups: tuple[str, ...] = ()
    columns: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    is_whole: bool = False
    is_outer: bool = False
    is_written: bool = False
    is_unfiltered: bool = False
    is_once: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """One join between two scans: (alias, alias), the pairs of columns it equates, and its kind.

    Attributes:
        kind: "inner", "left", "right", "full", "cross", "semi" (IN, EXISTS), "anti" (NOT IN, NOT EXISTS).
        equal: ((column of left, column of right), ...) of plain columns.
        has_other_terms: Whether ON says more than these.
        left_query: Number of the query that the left one belongs to: an inner one where it comes from there.
        right_query: Of the right one.
    """

    left: str
    right: str
    kind: str
    equal: tuple[tuple[str, str], ...] = ()
    has_other_terms: bool = False
    left_query: int = 0
    right_query: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """What a statement changes: the verb (INSERT, UPDATE, DELETE, MERGE), the table, the columns that it sets."""

    verb: str
    table: str
    schema: str = ""
    columns: frozenset[str] = frozenset()
    conflict_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """What parsing tells of a statement.

    Attributes:
        scans: Every base table of every query in it, in the order of the text.
        joins: Between scans.
        written: What it changes, also in WITH.
        verb: Of the whole statement.
        tables: Names of the base tables, as `schema.table` or `table`, without repeats.
        problem: Why it was not analysed; "" when it was. With a problem all else is empty.
        unresolved: Columns whose table nobody can tell without the schema, or with it.
    """

    scans: tuple[Scan, ...] = ()
    joins: tuple[Join, ...] = ()
    written: tuple[Written, ...] = ()
    verb: str = ""
    tables: tuple[str, ...] = ()
    problem: str = ""
    unresolved: tuple[str, ...] = field(default=())

    @property
    def is_analysed(self) -> bool:
        """Whether it could be parsed and understood."""
        return not self.problem

    def scan(self, alias: str, query: int | None = None) -> Scan | None:
        """Return a scan by its alias, within one query where that is told."""
        found = (scan for scan in self.scans if scan.alias == alias and query in (None, scan.query))
        return next(found, None)
