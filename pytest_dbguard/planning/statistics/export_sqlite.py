"""Reads the statistics of a SQLite database: numbers of rows and of different values, and what ANALYZE wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from pytest_dbguard.planning.statistics.export_notes import listed
from pytest_dbguard.planning.statistics.model import (
    ColumnStatistics,
    IndexStatistics,
    Origin,
    Statistics,
    TableStatistics,
)
from pytest_dbguard.schema.quoting import identifier

Fetch = Callable[[str], Sequence[Sequence[Any]]]
"""Runs one SQL text without parameters and returns its rows."""

MOST_COUNTED_ROWS: Final = 200_000
"""Rows up to which the columns of a table are counted: that reads it once and sorts each column."""

_TABLES: Final = """
    SELECT name FROM sqlite_master
    WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND upper(sql) NOT LIKE 'CREATE VIRTUAL%' ORDER BY name
"""

# of fts5, fts3 and fts4, rtree and geopoly
_SHADOWS: Final = (
    *("data", "idx", "content", "docsize", "config", "segments", "segdir", "stat"),
    *("node", "rowid", "parent"),
)


def export_sqlite(
    fetch: Fetch, *, most_counted_rows: int = MOST_COUNTED_ROWS, today: Callable[[], date] | None = None
) -> Statistics:
    """Return the statistics of the database that `fetch` asks: counts and shares, no value of a row.

    Rows come from sqlite_stat1 where ANALYZE wrote it, else they are counted; so are columns of tables of moderate
    size. Nothing is written. The shadow tables of virtual ones are left out with them.

    Args:
        fetch: Asks on one connection.
        most_counted_rows: Rows of a table up to which its columns are counted.
        today: Tells the day; by default today in UTC.
    """
    stats = _stat1(fetch)
    shadows = _shadows(fetch)
    names = [name for (name,) in fetch(_TABLES) if name not in shadows]
    tables = tuple(_table(fetch, name, stats.get(name, {}), most_counted_rows) for name in names)
    uncounted = [table.name for table in tables if table.rows > most_counted_rows]
    taken = (today or _today)().isoformat()
    return Statistics(
        tables,
        origin=Origin.PRODUCTION,
        source=f"export of {taken}",
        taken_at=taken,
        dialect="sqlite",
        version=fetch("SELECT sqlite_version()")[0][0],
        notes=tuple(_notes(uncounted, has_stat1=bool(stats))),
    )


def _today() -> date:
    return datetime.now(UTC).date()


def _notes(uncounted: Sequence[str], *, has_stat1: bool) -> Iterator[str]:
    if not has_stat1:
        yield "never analysed: indexes have no figures until ANALYZE runs"
    if uncounted:
        yield f"too large to count their columns: {listed(uncounted)}"


def _stat1(fetch: Fetch) -> dict[str, dict[str, str]]:
    """Return what ANALYZE wrote: by table and index, "" for a table without any."""
    if not fetch("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'"):
        return {}
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for table, index, stat in fetch("SELECT tbl, idx, stat FROM sqlite_stat1"):
        if stat:
            # the key of a table WITHOUT ROWID goes by the name of the table
            found[table][_primary_key(fetch, table) if index == table else index or ""] = str(stat)
    return dict(found)


def _primary_key(fetch: Fetch, table: str) -> str:
    names = [row[1] for row in fetch(f"PRAGMA index_list({identifier(table)})") if row[3] == "pk"]
    return str(names[0]) if names else ""


def _shadows(fetch: Fetch) -> set[str]:
    """Return the names of tables that are parts of virtual ones, as `posts_data` is of `posts`."""
    owners = fetch("SELECT name FROM sqlite_master WHERE type = 'table' AND upper(sql) LIKE 'CREATE VIRTUAL%'")
    return {f"{owner}_{part}" for (owner,) in owners for part in _SHADOWS}


def _table(fetch: Fetch, name: str, stats: Mapping[str, str], most_counted_rows: int) -> TableStatistics:
    # a partial index has fewer entries than the table
    told = max((int(stat.split()[0]) for stat in stats.values()), default=None)
    rows = fetch(f"SELECT count(*) FROM {identifier(name)}")[0][0] if told is None else told
    columns = _columns(fetch, name) if 0 < rows <= most_counted_rows else ()
    indexes = tuple(_index(index, name, stats[index]) for index in sorted(stats) if index)
    return TableStatistics("", name, float(rows), columns=columns, indexes=indexes, origin=Origin.PRODUCTION)


def _index(name: str, table: str, stat: str) -> IndexStatistics:
    return IndexStatistics(name, table, rows=float(stat.split(maxsplit=1)[0]), stat=stat)


def _columns(fetch: Fetch, table: str) -> tuple[ColumnStatistics, ...]:
    """Count the columns of a table in one pass: different values, NULLs, average size."""
    names = [row[1] for row in fetch(f"PRAGMA table_xinfo({identifier(table)})") if row[6] != 1]
    counted = ", ".join(
        f"count({identifier(name)}), count(DISTINCT {identifier(name)}), avg(length(CAST({identifier(name)} AS BLOB)))"
        for name in names
    )
    total, *figures = fetch(f"SELECT count(*), {counted} FROM {identifier(table)}")[0]
    each = zip(names, figures[::3], figures[1::3], figures[2::3], strict=True)
    return tuple(_column(name, total, present, distinct, width) for name, present, distinct, width in sorted(each))


def _column(name: str, total: int, present: int, distinct: int, width: float | None) -> ColumnStatistics:
    """Return the figures as PostgreSQL has them: a number of values that grows with the table becomes a share."""
    share = distinct / total if total else 0.0
    return ColumnStatistics(
        name,
        n_distinct=-round(share, 6) if share > 0.1 else float(distinct),
        null_fraction=round(1 - present / total, 6) if total else 0.0,
        average_width=round(width or 0),
    )
