"""Reads the statistics of a PostgreSQL database: what its planner knows, and never a row."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pytest_dbguard.planning.statistics import postgres_queries
from pytest_dbguard.planning.statistics.export_notes import notes_of
from pytest_dbguard.planning.statistics.extended import combinations_of, dependencies_of
from pytest_dbguard.planning.statistics.model import (
    ColumnStatistics,
    IndexStatistics,
    Origin,
    Statistics,
    TableStatistics,
)
from pytest_dbguard.planning.statistics.slots import slots_of
from pytest_dbguard.planning.statistics.tree_heights import tree_heights
from pytest_dbguard.planning.statistics.widths import PAGE_SIZE
from pytest_dbguard.schema.catalog import Collation

Fetch = Callable[[str], Sequence[Sequence[Any]]]
"""Runs one SQL text without parameters and returns its rows."""

DEADLINE_S: Final = 30.0
"""Seconds after which heights of indexes are left to be computed from their sizes."""

_Row = Mapping[str, Any]
_Key = tuple[str, str]


def export_postgres(
    fetch: Fetch,
    *,
    values: bool = False,
    schemas: Collection[str] | None = None,
    deadline_s: float = DEADLINE_S,
    clock: Callable[[], float] = time.monotonic,
) -> Statistics:
    """Return the statistics of a database, PostgreSQL 13 or later.

    Only catalogs are read, and plans are asked for, so any role may: what it may not see is told in `notes`. A few
    queries, whatever the number of tables, and a plan of about a millisecond for each B-tree of several pages.

    Args:
        fetch: Asks on one connection, in one REPEATABLE READ transaction where all must be of one moment.
        values: Whether most common values and histograms are read too: they are values of rows.
        schemas: Only these; all of users by default.
        deadline_s: Seconds after which no more plans are asked for.
        clock: Tells the time in seconds.
    """
    server = _rows(fetch, postgres_queries.SERVER)[0]
    number = int(server["number"])
    read = _Read(
        tuple(_rows(fetch, postgres_queries.relations(schemas))),
        tuple(_rows(fetch, postgres_queries.columns(number, schemas, values=values))),
        tuple(_with_sizes(row) for row in _rows(fetch, postgres_queries.indexes(schemas))),
        tuple(_rows(fetch, postgres_queries.combinations(schemas))),
    )
    heights = tree_heights(fetch, read.indexes, deadline_s=deadline_s, clock=clock)
    settings = {row["name"]: row["value"] for row in _rows(fetch, postgres_queries.SETTINGS)}
    tables = tuple(_tables(read, heights))
    return Statistics(
        tables,
        origin=Origin.PRODUCTION,
        source=f"export of {server['taken']}",
        taken_at=server["taken"],
        dialect="postgresql",
        version=server["version"].split()[0],
        collation=_collation(server["collation"]),
        settings=MappingProxyType(settings),
        has_values=values,
        notes=notes_of(read.relations, tables, _expressions(read.indexes)),
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """What the catalogs answered."""

    relations: tuple[_Row, ...]
    columns: tuple[_Row, ...]
    indexes: tuple[_Row, ...]
    combinations: tuple[_Row, ...]


def _rows(fetch: Fetch, sql: str) -> list[dict[str, Any]]:
    return [json.loads(row[0]) if isinstance(row[0], str | bytes) else row[0] for row in fetch(sql)]


def _collation(row: _Row) -> Collation:
    """Return the default collation of a row of pg_database, whose columns differ from version to version."""
    provider = {"i": "icu", "b": "builtin"}.get(row.get("datlocprovider", "c"), "libc")
    own = row.get("datlocale") or row.get("daticulocale")
    return Collation(provider, row["datcollate"] if provider == "libc" or not own else own)


def _with_sizes(row: dict[str, Any]) -> dict[str, Any]:
    pages = _pages(row)
    return {**row, "pages": pages, "rows": _planned_rows(row, pages)}


def _pages(row: _Row) -> int:
    return -(-int(row["bytes"] or 0) // PAGE_SIZE)


def _planned_rows(row: _Row, pages: int) -> float:
    """Return the rows that the planner believes in: as many a page as when it was looked at, times the pages of now.

    What was never analysed has as many as the server has counted.
    """
    tuples, then = float(row["tuples"]), int(row["relpages"])
    if tuples < 0:
        return float(row.get("live") or 0)
    return float(round(tuples / then * pages)) if then > 0 and pages else tuples


def _tables(read: _Read, heights: Mapping[_Key, int]) -> Iterator[TableStatistics]:
    columns, indexes, extended = _by_table(read.columns), _by_table(read.indexes), _by_table(read.combinations)
    sums = _partition_sums(read.relations)
    for row in read.relations:
        key = (row["schema"], row["name"])
        pages, is_parent = _pages(row), row["kind"] == "p"
        own = [each for each in extended[key] if each["inherited"] in (None, is_parent)]
        yield TableStatistics(
            *key,
            rows=sums[key] if is_parent else _planned_rows(row, pages),
            pages=pages,
            all_visible=min(pages, max(0, int(row["visible"]))),
            columns=_columns(columns[key], inherited=is_parent),
            indexes=tuple(_index(each, columns, heights) for each in indexes[key]),
            combinations=combinations_of(own),
            writes_per_read=None if is_parent else _writes_per_read(row),
            origin=Origin.PRODUCTION,
            dependencies=dependencies_of(own),
        )


def _by_table(rows: Sequence[_Row]) -> dict[_Key, list[_Row]]:
    found: dict[_Key, list[_Row]] = defaultdict(list)
    for row in rows:
        found[row["schema"], row["table"]].append(row)
    return found


def _columns(rows: Sequence[_Row], *, inherited: bool) -> tuple[ColumnStatistics, ...]:
    # a parent that is no partitioned table has two kinds; those of its own rows are its own
    chosen = {row["name"]: row for row in sorted(rows, key=lambda row: row["inherited"] is inherited)}
    return tuple(_column(name, chosen[name]) for name in sorted(chosen))


def _column(name: str, row: _Row) -> ColumnStatistics:
    return ColumnStatistics(
        name,
        n_distinct=float(row["n_distinct"]),
        null_fraction=float(row["null_frac"]),
        average_width=int(row["avg_width"]),
        correlation=None if row["correlation"] is None else float(row["correlation"]),
        slots=slots_of(row),
    )


def _index(row: _Row, columns: Mapping[_Key, list[_Row]], heights: Mapping[_Key, int]) -> IndexStatistics:
    key = (row["schema"], row["name"])
    numbers = {name: number for number, name in (row["expressions"] or {}).items()}
    own = [each for each in columns.get(key, ()) if each["name"] in numbers]
    expressions = sorted((_column(numbers[each["name"]], each) for each in own), key=lambda each: int(each.name))
    return IndexStatistics(
        row["name"], row["table"], row["pages"], row["rows"], heights.get(key), "", tuple(expressions)
    )


def _expressions(indexes: Sequence[_Row]) -> dict[_Key, int]:
    found: dict[_Key, int] = defaultdict(int)
    for row in indexes:
        found[row["schema"], row["table"]] += len(row["expressions"] or ())
    return found


def _partition_sums(relations: Sequence[_Row]) -> dict[_Key, float]:
    """Return the rows of partitioned tables: the sum of what their partitions hold, all the way down."""
    parents = {(row["schema"], row["name"]): tuple(row["parent"]) for row in relations if row["parent"]}
    sums: dict[_Key, float] = defaultdict(float)
    for row in relations:
        rows, place = _planned_rows(row, _pages(row)), (row["schema"], row["name"])
        while row["kind"] != "p" and place in parents:
            place = parents[place]
            sums[place] += rows
    return sums


def _writes_per_read(row: _Row) -> float | None:
    if not row["scans"] or row["writes"] is None:
        return None
    return float(f"{row['writes'] / row['scans']:.3g}")
