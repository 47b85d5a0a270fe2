"""What stands in `dbguard-stats.json`, field by field: checked when it is read, the same bytes when it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from pytest_dbguard.planning.statistics.model import (
    ColumnStatistics,
    Dependency,
    IndexStatistics,
    NDistinct,
    Origin,
    Slot,
    Statistics,
    TableStatistics,
)
from pytest_dbguard.planning.statistics.names import join_name, split_table
from pytest_dbguard.schema.catalog import Collation

FORMAT: Final = 1
"""Version of the file. 1: the first."""

_CHECKED = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class SlotEntry(BaseModel):
    """Further statistics of a column, as pg_statistic keeps them; only in files written with --with-values."""

    model_config = _CHECKED

    kind: Annotated[int, Field(ge=1)]
    """1 most common values, 2 histogram, 4 most common elements, 5 numbers of elements, 6 and 7 ranges."""

    numbers: tuple[float, ...] = Field(default=(), strict=False)
    """Frequencies."""

    values: str | None = None
    """Values of rows, as text of an array."""


class ColumnEntry(BaseModel):
    """One column of a table, or one expression of an index."""

    model_config = _CHECKED

    distinct: float = 0.0
    """Number of different values; below zero minus their share of the rows, so that -1 is unique; 0 not known."""

    nulls: Share = 0.0
    """Share of rows without a value."""

    width: Count = 0
    """Average size of a value in bytes; 0 not known."""

    correlation: Annotated[float, Field(ge=-1, le=1)] | None = None
    """How far rows are stored in the order of this column: 1 wholly, 0 not at all, -1 the other way round."""

    slots: tuple[SlotEntry, ...] = Field(default=(), strict=False)
    """Values of rows and their frequencies; only with --with-values."""


class IndexEntry(BaseModel):
    """One index."""

    model_config = _CHECKED

    rows: Annotated[float, Field(ge=0)] = 0.0
    """Entries; fewer than the table's rows in a partial index."""

    pages: Count = 0
    """Pages of 8 192 bytes; 0 not known."""

    height: Count | None = None
    """Levels of a B-tree above its leaves."""

    stat: Annotated[str, Field(pattern=r"^[0-9a-z= ]*$")] = ""
    """What ANALYZE of SQLite wrote to sqlite_stat1: entries, then rows for each value of the first columns."""

    expressions: dict[str, ColumnEntry] = {}
    """Expressions that it sorts by, by the number of the key from 1."""


class CombinationEntry(BaseModel):
    """How many different combinations of some columns there are, where CREATE STATISTICS counts them."""

    model_config = _CHECKED

    columns: tuple[str, ...] = Field(strict=False)
    """Names of the columns."""

    distinct: Annotated[float, Field(ge=0)]
    """Number of different combinations."""


class DependencyEntry(BaseModel):
    """How far some columns decide another one, where CREATE STATISTICS measures it."""

    model_config = _CHECKED

    columns: tuple[str, ...] = Field(strict=False)
    """Names of the columns that decide."""

    decides: str
    """Name of the column that is decided."""

    degree: Share
    """1 wholly, 0 not at all."""


class TableEntry(BaseModel):
    """One table, partition or materialized view."""

    model_config = _CHECKED

    rows: Annotated[float, Field(ge=0)]
    """Rows, as the planner counts them."""

    pages: Count = 0
    """Pages of 8 192 bytes; 0 not known."""

    visible: Count = 0
    """Pages that index-only scans need not fetch."""

    writes_per_read: Annotated[float, Field(ge=0)] | None = None
    """Rows inserted, updated or deleted for each scan of the table or of one of its indexes."""

    columns: dict[str, ColumnEntry] = {}
    """Columns by name."""

    indexes: dict[str, IndexEntry] = {}
    """Indexes by name."""

    combinations: tuple[CombinationEntry, ...] = Field(default=(), strict=False)
    """How many different combinations of columns there are."""

    dependencies: tuple[DependencyEntry, ...] = Field(default=(), strict=False)
    """Which columns decide others."""


class CollationEntry(BaseModel):
    """How the database sorts text by default: it decides whether a plain index serves LIKE 'abc%'."""

    model_config = _CHECKED

    provider: Literal["libc", "icu", "builtin", ""] = ""
    """Who sorts."""

    locale: str = ""
    """By which rules, such as en_US.UTF-8."""


class StatisticsFile(BaseModel):
    """Planner statistics of one database: sizes and shares, and no value of any row unless "values" says so."""

    model_config = _CHECKED

    format: Literal[1]
    """Version of this format."""

    dialect: Literal["postgresql", "sqlite"]
    """Kind of database."""

    version: str = ""
    """Version of the server."""

    taken: Annotated[str, Field(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = ""
    """Day on which they were taken, as in 2026-11-01."""

    values: bool = False
    """Whether values of rows are in this file: it was written with --with-values."""

    collation: CollationEntry = CollationEntry()
    """Default collation of the database."""

    settings: dict[str, str] = {}
    """Settings of the planner that differ from PostgreSQL's own defaults, such as work_mem."""

    notes: tuple[str, ...] = Field(default=(), strict=False)
    """What could not be seen when the file was written."""

    tables: dict[str, TableEntry]
    """Tables by schema and name, such as public.orders; a part that holds a dot stands in double quotes."""

    def statistics(self, source: str) -> Statistics:
        """Return what the file says, called `source` where people are told of it."""
        tables = sorted((split_table(name), entry) for name, entry in self.tables.items())
        return Statistics(
            tuple(_table(schema, name, entry) for (schema, name), entry in tables),
            origin=Origin.PRODUCTION,
            source=f"{source} of {self.taken}" if self.taken else source,
            taken_at=self.taken,
            dialect=self.dialect,
            version=self.version,
            collation=Collation(self.collation.provider, self.collation.locale),
            settings=MappingProxyType(dict(sorted(self.settings.items()))),
            has_values=self.values,
            notes=self.notes,
        )


def document_of(statistics: Statistics) -> dict[str, Any]:
    """Return the content of the file, without what has its default value; values only where the statistics say so."""
    slots = statistics.has_values
    head: dict[str, Any] = {
        "format": FORMAT,
        "dialect": statistics.dialect,
        "version": statistics.version,
        "taken": statistics.taken_at,
        "values": statistics.has_values,
        "collation": {"provider": statistics.collation.provider, "locale": statistics.collation.locale},
        "settings": dict(sorted(statistics.settings.items())),
        "notes": list(statistics.notes),
    }
    tables = {
        join_name(table.schema, table.name): _table_entry(table, with_slots=slots)
        for table in sorted(statistics.tables, key=lambda each: (each.schema, each.name))
    }
    return {**head, "tables": tables}


def _table(schema: str, name: str, entry: TableEntry) -> TableStatistics:
    return TableStatistics(
        schema,
        name,
        entry.rows,
        entry.pages,
        entry.visible,
        columns=_columns(entry.columns),
        indexes=tuple(_index(each, name, entry.indexes[each]) for each in sorted(entry.indexes)),
        combinations=tuple(NDistinct(each.columns, each.distinct) for each in entry.combinations),
        writes_per_read=entry.writes_per_read,
        origin=Origin.PRODUCTION,
        dependencies=tuple(Dependency(each.columns, each.decides, each.degree) for each in entry.dependencies),
    )


def _columns(entries: Mapping[str, ColumnEntry]) -> tuple[ColumnStatistics, ...]:
    return tuple(_column(name, entries[name]) for name in sorted(entries))


def _column(name: str, entry: ColumnEntry) -> ColumnStatistics:
    slots = tuple(Slot(each.kind, each.numbers, each.values) for each in entry.slots)
    return ColumnStatistics(name, entry.distinct, entry.nulls, entry.width, entry.correlation, slots)


def _index(name: str, table: str, entry: IndexEntry) -> IndexStatistics:
    columns = _columns(entry.expressions)
    return IndexStatistics(name, table, entry.pages, entry.rows, entry.height, entry.stat, columns)


def _table_entry(table: TableStatistics, *, with_slots: bool) -> dict[str, Any]:
    indexes = sorted(table.indexes, key=lambda each: each.name)
    return _told(
        {
            "pages": table.pages,
            "visible": table.all_visible,
            "writes_per_read": None if table.writes_per_read is None else number(table.writes_per_read),
            "columns": _column_entries(table.columns, with_slots=with_slots),
            "indexes": {index.name: _index_entry(index, with_slots=with_slots) for index in indexes},
            "combinations": [
                {"columns": list(each.columns), "distinct": number(each.n_distinct)}
                for each in sorted(table.combinations, key=lambda each: each.columns)
            ],
            "dependencies": [
                {"columns": list(each.columns), "decides": each.decides, "degree": number(each.degree)}
                for each in sorted(table.dependencies, key=lambda each: (each.columns, each.decides))
            ],
        },
        {"rows": number(table.rows)},
    )


def _index_entry(index: IndexStatistics, *, with_slots: bool) -> dict[str, Any]:
    return _told(
        {
            "rows": number(index.rows),
            "pages": index.pages,
            "height": index.height,
            "stat": index.stat,
            "expressions": _column_entries(index.columns, with_slots=with_slots),
        }
    )


def _column_entries(columns: Iterable[ColumnStatistics], *, with_slots: bool) -> dict[str, Any]:
    ordered = sorted(columns, key=lambda each: each.name)
    return {column.name: _column_entry(column, with_slots=with_slots) for column in ordered}


def _column_entry(column: ColumnStatistics, *, with_slots: bool) -> dict[str, Any]:
    slots = [
        _told({"numbers": [number(each) for each in slot.numbers], "values": slot.values}, {"kind": slot.kind})
        for slot in (column.slots if with_slots else ())
    ]
    return _told(
        {
            "distinct": number(column.n_distinct),
            "nulls": number(max(0.0, column.null_fraction)),
            "width": column.average_width,
            "correlation": None if column.correlation is None else number(column.correlation),
            "slots": slots,
        }
    )


def number(value: float) -> int | float:
    """Return a number as the file has it: at most six digits behind the point, whole ones without a point."""
    rounded = round(float(value), 6)
    return int(rounded) if rounded.is_integer() else rounded


def _told(fields: Mapping[str, Any], always: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """Return the fields without those that have their default value; a height or correlation of 0 is none."""
    return {
        **always,
        **{
            key: value
            for key, value in fields.items()
            if value is not None
            and (value not in (0, "", [], {}) or key in ("height", "correlation", "writes_per_read"))
        },
    }
