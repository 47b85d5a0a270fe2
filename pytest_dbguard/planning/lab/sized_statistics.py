"""Finds the statistics of a table, and makes those of another number of rows from them."""

from __future__ import annotations

from dataclasses import replace

from pytest_dbguard.planning.statistics.model import IndexStatistics, Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Table


def table_statistics(table: Table, statistics: Statistics) -> TableStatistics:
    """Return what is known of a table; where nobody told anything, the default number of rows."""
    found = statistics.table(table.name, table.schema)
    if found is None:
        return TableStatistics(table.schema, table.name, statistics.default_rows)
    if all(column.null_fraction >= 0 for column in found.columns):
        return found
    # below zero nobody told, and `completed` did not see it
    columns = (replace(column, null_fraction=max(column.null_fraction, 0.0)) for column in found.columns)
    return replace(found, columns=tuple(columns))


def statistics_at_rows(statistics: Statistics, table: Table, rows: float) -> Statistics:
    """Return the statistics with another number of rows of one table: its pages and its indexes in proportion.

    Heights, which do not grow in proportion, are left out: labs compute them. Numbers of values stay, or stay a share
    of the rows, as the statistics have them.
    """
    before = table_statistics(table, statistics)
    factor = rows / before.rows if before.rows > 0 else 0.0
    indexes = tuple(_scaled(index, factor) for index in before.indexes)
    after = replace(
        before,
        rows=rows,
        pages=_pages(before.pages, factor),
        all_visible=min(_pages(before.all_visible, factor), _pages(before.pages, factor)),
        indexes=indexes,
    )
    known = statistics.table(table.name, table.schema)
    others = tuple(each for each in statistics.tables if each is not known)
    return replace(statistics, tables=(*others, after))


def _scaled(index: IndexStatistics, factor: float) -> IndexStatistics:
    return replace(
        index,
        pages=_pages(index.pages, factor),
        rows=index.rows * factor,
        height=None,
        stat=_scaled_stat(index.stat, factor),
    )


def _scaled_stat(stat: str, factor: float) -> str:
    """Return SQLite's figures of an index for other numbers of rows, with as many values as before."""
    figures = [int(word) for word in stat.split() if word.isdigit()]
    words = [word for word in stat.split() if not word.isdigit()]
    if not figures:
        return stat
    rows = max(round(figures[0] * factor), 0)
    shares = (sharing if sharing <= 1 else max(-(-rows * sharing // max(figures[0], 1)), 1) for sharing in figures[1:])
    return " ".join(map(str, (rows, *shares, *words)))


def _pages(pages: int, factor: float) -> int:
    """Return pages in proportion: none stay none (nobody knows them), others are at least one."""
    return max(round(pages * factor), 1) if pages and factor else 0
