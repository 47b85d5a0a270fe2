"""What planning found out about a workload: the value that the rules about indexes and plans are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from pytest_dbguard.planning.candidates.unused_joins import UnusedJoin
from pytest_dbguard.planning.lab.base import IndexSize, IndexSpec, LabDescription
from pytest_dbguard.planning.plan import Plan
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import WorkloadStatement
from pytest_dbguard.schema.catalog import Catalog, ForeignKey, Table
from pytest_dbguard.sql.facts.model import StatementFacts, Term
from pytest_dbguard.sql.lint.model import LintMark


class Basis(StrEnum):
    """What a verdict rests on."""

    PROVEN = "proven"
    """A plan at production's statistics."""
    MODELLED = "modelled"
    """A plan at declared or default numbers of rows."""
    STATIC = "static"
    """No planner was asked."""


class Purpose(StrEnum):
    """What a wanted index is for."""

    FILTER = "filter"
    JOIN = "join"
    SORT = "sort"
    FOREIGN_KEY = "foreign key"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An index that one scan of one statement could use and nothing serves.

    Attributes:
        spec: The index.
        purpose: What it is for; of several the first that holds in the order filter, join, sort.
        alias: Of the scan.
        query: Number of the scan's query.
        terms: Terms that it serves, in the order of its keys.
        extends: Name of an existing index that it would make redundant; "" otherwise.
        is_range_only: Whether nothing but a range or a sort asks for it.
        alternative: Whether it is one of several that an OR needs; all of them belong together (same `group`).
        group: Number of the OR, from 1; 0 otherwise.
    """

    spec: IndexSpec
    purpose: Purpose
    alias: str
    query: int = 0
    terms: tuple[Term, ...] = ()
    extends: str = ""
    is_range_only: bool = False
    alternative: bool = False
    group: int = 0


class Obstacle(StrEnum):
    """Why an index that exists does not serve a term."""

    FUNCTION = "function"
    CAST = "cast"
    ARITHMETIC = "arithmetic"
    TYPE = "type"
    COLLATION = "collation"
    LEADING_WILDCARD = "leading wildcard"
    PATTERN_CLASS = "pattern class"
    CASE_INSENSITIVE = "case-insensitive"
    PREDICATE = "predicate"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Unusable:
    """An index exists, or could, but the term is written so that none serves it.

    Attributes:
        obstacle: Why.
        alias: Of the scan.
        query: Number of the scan's query.
        table: The table, as `Table.label`.
        term: What is written.
        index: Name of the index that exists on the column; "" where none does.
        rewrite: How to write it so that a plain index serves; "" where that cannot be told.
        spec: An index that serves it as it is written; None where there is none.
    """

    obstacle: Obstacle
    alias: str
    query: int
    table: str
    term: Term
    index: str = ""
    rewrite: str = ""
    spec: IndexSpec | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the planner says of a wanted index in one statement.

    Attributes:
        helps: Whether it would use it to at least a tenth less cost (SQLite: use it in place of a scan or sort).
        cost_before: Without it; None for SQLite and for static verdicts.
        cost_after: With it; None likewise.
        plan_before: Without it; None for static verdicts.
        plan_after: With it; None for static verdicts.
        size: Of the index; None for static verdicts.
        pays_from_rows: Rows of the table from which the planner uses it; None where that was not asked.
        basis: What this rests on.
        rows: Rows of the table that were assumed; None for static verdicts.
        wider: An index that another statement wants and that serves this one too; None where there is none.
        is_assumed: Whether it holds for bounds that leave few rows only, of which no statistics tell.
    """

    helps: bool
    basis: Basis
    cost_before: float | None = None
    cost_after: float | None = None
    plan_before: Plan | None = None
    plan_after: Plan | None = None
    size: IndexSize | None = None
    pays_from_rows: int | None = None
    rows: float | None = None
    wider: IndexSpec | None = None
    is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class UnindexedKey:
    """A foreign key whose rows no index finds, and what an index would do for a delete of the row it refers to."""

    table: Table
    key: ForeignKey
    spec: IndexSpec
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class AssessedStatement:
    """One statement with all that planning knows of it.

    Attributes:
        statement: What ran, and where.
        facts: Of its text, columns resolved.
        plan: At the lab's sizes; None without a lab, or where the planner refused it.
        wanted: Indexes that it could use, each with the verdict.
        unusable: Terms that no index serves as they are written, each with the verdict on its `spec`.
        problem: Why it was not planned; "" when it was.
        planned_text: The text whose plan that is. Stays in memory: it may hold literals.
        unused_joins: Joins that it can do without.
        marks: What its text shows that the rules of lint may object to.
    """

    statement: WorkloadStatement
    facts: StatementFacts
    plan: Plan | None = None
    wanted: tuple[tuple[Wanted, Verdict], ...] = ()
    unusable: tuple[tuple[Unusable, Verdict], ...] = ()
    problem: str = ""
    planned_text: str = field(default="", repr=False)
    unused_joins: tuple[UnusedJoin, ...] = ()
    marks: tuple[LintMark, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """One workload on one schema.

    Attributes:
        catalog: The schema.
        statistics: Completed.
        statements: By shape id.
        lab: The lab that was used; None without one.
        no_lab: Why there was none; "" with one.
        used_indexes: (schema, index) that any plan uses, or that a statement needs though plans of other sizes do not.
        not_analysed: Numbers of shapes by reason.
        drift: Lines that tell how the statistics' schema differs from this one.
        keys: Foreign keys without an index.
        judges_schema: Whether the schema itself is judged: all tables of it, and not those alone that statements use.
        writers: The statements that write to a table, by its name, in their order.
    """

    catalog: Catalog
    statistics: Statistics
    statements: tuple[AssessedStatement, ...] = ()
    lab: LabDescription | None = None
    no_lab: str = ""
    used_indexes: frozenset[tuple[str, str]] = frozenset()
    not_analysed: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    drift: tuple[str, ...] = ()
    keys: tuple[UnindexedKey, ...] = ()
    judges_schema: bool = False
    writers: Mapping[str, tuple[AssessedStatement, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the statements that write: each index that somebody wants is asked for."""
        found: dict[str, dict[int, AssessedStatement]] = {}
        for number, statement in enumerate(self.statements):
            for written in statement.facts.written:
                found.setdefault(written.table, {})[number] = statement
        writers = {table: tuple(of_table.values()) for table, of_table in found.items()}
        object.__setattr__(self, "writers", MappingProxyType(writers))

    @property
    def basis(self) -> Basis:
        """What plans of this assessment rest on; a table of other origin may weaken it."""
        if self.lab is None:
            return Basis.STATIC
        return Basis.PROVEN if self.statistics.origin == "production" else Basis.MODELLED
