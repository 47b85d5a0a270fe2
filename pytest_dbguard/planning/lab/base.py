"""What every lab promises, and what it is made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from pytest_dbguard.core.errors import DbguardError
from pytest_dbguard.planning.plan import Plan
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog

CANDIDATE_PREFIX: Final = "dbguard_candidate_"
"""What the names of candidate indexes begin with in every lab; a number follows."""


class Rung(StrEnum):
    """How a lab makes the planner believe in sizes, from best to least. Measured verdicts: see the class docs."""

    FORGED = "forged"
    """Sparse files and forged B-tree heights: a superuser, on a server that dbguard started or that consents."""
    SPARSE = "sparse"
    """Sparse files only, where heights cannot be forged."""
    BALLAST = "ballast"
    """Real pages, written and never read: the owner of the lab's database."""
    DENSITY = "density"
    """Statistics that say how many rows a page holds: the owner, on PostgreSQL 18 or later."""
    STATISTICS = "sqlite_stat1"
    """SQLite: the planner asks nothing but these."""


class LabError(DbguardError):
    """A lab cannot be made or cannot explain a statement; the message says why in one line, without literals."""


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """An index that does not exist yet.

    Attributes:
        schema: The table's schema; "" for SQLite.
        table: The table.
        keys: Columns or expressions in SQL, each with what follows it: `created_at DESC`, `lower(email)`,
            `name text_pattern_ops`. Columns are quoted where they need it.
        columns: The columns of the keys in order; None for an expression.
        predicate: Condition of a partial index; "" for a full one.
        method: Access method.
        is_unique: Whether it forbids equal keys.
        include: Columns that it carries along.
        name: Where the usual name is taken; "" otherwise.
    """

    schema: str
    table: str
    keys: tuple[str, ...]
    columns: tuple[str | None, ...]
    predicate: str = ""
    method: str = "btree"
    is_unique: bool = False
    include: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """A statement and its plan; `plan` is None where the planner refused it, for the reason in `problem`."""

    plan: Plan | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class IndexSize:
    """What an index weighs at the lab's sizes: pages of 8 192 bytes (0 for SQLite), levels above the leaves."""

    pages: int
    height: int


@dataclass(frozen=True, slots=True)
class LabDescription:
    """What people are told of a lab.

    Attributes:
        dialect: "postgresql" or "sqlite".
        version: Of the planner.
        rung: How sizes are made.
        reason: Why this rung and this server: "forged files on postgres-embedded 18.1, which dbguard started".
        skipped: Better rungs that were not taken, each with its reason.
        problems: What the copy lacks, each with its reason: extensions, statistics, settings.
    """

    dialect: str
    version: str
    rung: Rung
    reason: str
    skipped: tuple[str, ...] = field(default=())
    problems: tuple[str, ...] = field(default=())


class Lab(Protocol):
    """A disposable copy of one schema at given sizes. Not thread-safe. Nothing of it outlives `close`.

    Candidate indexes are made hidden. What exists is visible. `with lab.visible(...)` changes that for a while.
    """

    description: LabDescription
    catalog: Catalog
    statistics: Statistics
    """Completed: every table and column has figures."""

    def explain(self, sql: str) -> Explained:
        """Plan one statement, without running it; what the planner refuses is told, not raised.

        The text is of the lab's dialect: `$1` for PostgreSQL (planned generically where any is left), `?` for SQLite.
        """
        ...

    def add(self, candidates: Iterable[IndexSpec]) -> tuple[str, ...]:
        """Make candidate indexes, hidden, and return their names in the lab in order; "" for one that is refused.

        One that was made before keeps its name. A call costs a rebuild: give many at once.
        """
        ...

    def visible(self, *, shown: Sequence[str] = (), hidden: Sequence[str] = ()) -> AbstractContextManager[None]:
        """Show these candidates (names in the lab) and hide these existing indexes (`name`, or `schema.name`).

        Blocks may stand in each other; an inner one can hide candidates that an outer one shows.
        """
        ...

    def size_of(self, name: str) -> IndexSize:
        """Return the size of an index, by its name in the lab."""
        ...

    def at_rows(self, table: str, rows: float, schema: str = "") -> AbstractContextManager[None]:
        """Let the planner believe in other numbers of rows of one table, everything of it in proportion."""
        ...

    def close(self) -> None:
        """Delete it. Closing twice is allowed."""
        ...


@runtime_checkable
class SwitchingLab(Protocol):
    """A lab that shows one set of candidates after the other without going back between them."""

    def show(self, names: Iterable[str]) -> None:
        """Leave exactly these candidates (names in the lab) visible, until others are named; () hides all again."""
        ...
