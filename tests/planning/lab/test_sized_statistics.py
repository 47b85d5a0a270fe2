"""The statistics of a table, and those of another number of rows."""

from __future__ import annotations

from pytest_dbguard.planning.lab.sized_statistics import statistics_at_rows, table_statistics
from pytest_dbguard.planning.statistics.model import ColumnStatistics, IndexStatistics, Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Table

ORDERS = Table("public", "orders")
COLUMNS = (ColumnStatistics("status", 5, null_fraction=-1.0), ColumnStatistics("total", -0.5, null_fraction=0.2))
INDEXES = (IndexStatistics("ix_total", "orders", pages=100, rows=8000, height=1, stat="10000 4 unordered"),)
KNOWN = Statistics(
    (
        TableStatistics("public", "orders", 10_000, 200, 150, COLUMNS, INDEXES),
        TableStatistics("public", "customers", 500),
    ),
    default_rows=700,
)


def test_a_table_that_nobody_knows_has_the_default_number_of_rows():
    assert table_statistics(Table("public", "news"), KNOWN) == TableStatistics("public", "news", 700)


def test_shares_of_nulls_that_nobody_told_are_none():
    assert [column.null_fraction for column in table_statistics(ORDERS, KNOWN).columns] == [0.0, 0.2]


def test_another_number_of_rows_scales_what_is_in_proportion():
    after = statistics_at_rows(KNOWN, ORDERS, 40_000)
    assert sorted(table.name for table in after.tables) == ["customers", "orders"]
    orders = after.table("orders", "public")
    assert (orders.rows, orders.pages, orders.all_visible) == (40_000, 800, 600)
    (index,) = orders.indexes
    assert (index.pages, index.rows, index.height, index.stat) == (400, 32_000, None, "40000 16 unordered")
    assert [column.n_distinct for column in orders.columns] == [5, -0.5]


def test_few_rows_still_take_a_page_and_none_take_none():
    orders = statistics_at_rows(KNOWN, ORDERS, 1).table("orders")
    assert (orders.pages, orders.indexes[0].pages, orders.indexes[0].stat) == (1, 1, "1 1 unordered")
    assert statistics_at_rows(KNOWN, ORDERS, 0).table("orders").pages == 0


def test_a_table_that_was_empty_gets_its_pages_computed():
    empty = Statistics((TableStatistics("public", "orders", 0),))
    assert statistics_at_rows(empty, ORDERS, 1000).table("orders").pages == 0
    assert statistics_at_rows(Statistics(), ORDERS, 1000).table("orders").rows == 1000
