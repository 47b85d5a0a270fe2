"""Planner statistics of a database, whatever they come from. Without values of rows unless somebody asked for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pytest_dbguard.schema.catalog import Collation

DEFAULT_FILE: Final = "dbguard-stats.json"
"""Name of the file that is used where it stands at the root of a project."""


class Origin(StrEnum):
    """Where figures come from; decides whether a verdict may be called proven."""

    PRODUCTION = "production"
    """A file that was exported from a database with data."""
    DECLARED = "declared"
    """`[tool.dbguard.scale]`."""
    DEFAULT = "default"
    """Nobody said anything of this table."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of pg_statistic, as `stakindN`, `staopN`, ... hold it.

    Attributes:
        kind: Number of the kind: 1 most common values, 2 histogram, 3 correlation, 4 and 5 elements, 6 and 7 ranges.
        numbers: Frequencies, or the correlation.
        values: The values as text of an array; None where they were left out.
    """

    kind: int
    numbers: tuple[float, ...] = ()
    values: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """One column, or one expression of an index (its `name` is then the number of the key, from 1, as text).

    Attributes:
        name: Of the column.
        n_distinct: As pg_stats has it: a number of values, or, below zero, minus their share of the rows; 0 unknown.
        null_fraction: From 0 to 1; below zero where nobody told, which `completed` replaces.
        average_width: In bytes.
        correlation: From -1 to 1; None where it is not known.
        slots: Further statistics, values only where they were exported.
    """

    name: str
    n_distinct: float = 0.0
    null_fraction: float = 0.0
    average_width: int = 0
    correlation: float | None = None
    slots: tuple[Slot, ...] = ()

    def distinct(self, rows: float) -> float:
        """Return the number of different values among so many rows; 0 where it is not known."""
        return -self.n_distinct * rows if self.n_distinct < 0 else min(self.n_distinct, rows or self.n_distinct)


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """One index: its size, and what SQLite's sqlite_stat1 says of it.

    Attributes:
        name: Of the index.
        table: Of the table.
        pages: Of 8 192 bytes in PostgreSQL.
        rows: Entries; less than the table's for a partial index.
        height: Of a B-tree: levels above the leaves; None where it is not known.
        stat: SQLite's `stat` text; "" otherwise.
        columns: Statistics of its expressions.
    """

    name: str
    table: str
    pages: int = 0
    rows: float = 0.0
    height: int | None = None
    stat: str = ""
    columns: tuple[ColumnStatistics, ...] = ()


@dataclass(frozen=True, slots=True)
class NDistinct:
    """Extended statistics: how many different combinations of some columns there are."""

    columns: tuple[str, ...]
    n_distinct: float


@dataclass(frozen=True, slots=True)
class Dependency:
    """Extended statistics: how far some columns decide another one, from 0 to 1."""

    columns: tuple[str, ...]
    decides: str
    degree: float


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """One table.

    Attributes:
        schema: "" for SQLite.
        name: Of the table.
        rows: Rows that the planner is to believe in.
        pages: Of 8 192 bytes; 0 where only the rows are known (the lab then computes them from widths).
        all_visible: Pages that index-only scans need not fetch.
        columns: By name.
        indexes: By name.
        combinations: Extended statistics.
        writes_per_read: Rows written for one read, where production told it; None otherwise.
        origin: Where the rows come from.
        dependencies: Extended statistics.
    """

    schema: str
    name: str
    rows: float
    pages: int = 0
    all_visible: int = 0
    columns: tuple[ColumnStatistics, ...] = ()
    indexes: tuple[IndexStatistics, ...] = ()
    combinations: tuple[NDistinct, ...] = ()
    writes_per_read: float | None = None
    origin: Origin = Origin.DEFAULT
    dependencies: tuple[Dependency, ...] = ()

    def column(self, name: str) -> ColumnStatistics | None:
        """Return the statistics of a column."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class Statistics:
    """All tables of one database.

    Attributes:
        tables: By schema and name.
        origin: Of the whole: production where a file was read, else declared or default.
        source: What people call it: `dbguard-stats.json of 2026-11-01`, `[tool.dbguard.scale]`, `default`.
        taken_at: Date (ISO) of the export; "" otherwise.
        dialect: "postgresql", "sqlite", or "" where nobody told.
        version: Of the server that they were taken from.
        collation: Its default collation.
        settings: Planner settings of production that differ from the default, such as `work_mem`: names to values.
        default_rows: Rows of a table that is not in `tables`.
        has_values: Whether slots carry values of rows.
        notes: What could not be seen when they were taken, a line each.
        loose: Relations of a pg_dump file of which only a catalog tells whether they are indexes; `completed` does.
    """

    tables: tuple[TableStatistics, ...] = ()
    origin: Origin = Origin.DEFAULT
    source: str = "default"
    taken_at: str = ""
    dialect: str = ""
    version: str = ""
    collation: Collation = field(default_factory=Collation)
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    default_rows: float = 100_000
    has_values: bool = False
    notes: tuple[str, ...] = ()
    loose: tuple[TableStatistics, ...] = ()

    def table(self, name: str, schema: str = "") -> TableStatistics | None:
        """Return the statistics of a table; without its schema, or where schemas differ, the only one of that name."""
        found = [table for table in self.tables if table.name == name]
        exact = next((table for table in found if table.schema == schema), None)
        return exact or (found[0] if len(found) == 1 else None)
