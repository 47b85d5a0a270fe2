"""Declared figures over those of a file."""

from __future__ import annotations

from pytest_dbguard.planning.statistics.model import (
    ColumnStatistics,
    IndexStatistics,
    NDistinct,
    Origin,
    Slot,
    Statistics,
    TableStatistics,
)
from pytest_dbguard.planning.statistics.overlay import laid_over, rescaled
from pytest_dbguard.planning.statistics.scale import ScaleSettings, statistics_from_scale

ORDERS = TableStatistics(
    "public",
    "orders",
    1000,
    pages=100,
    all_visible=50,
    columns=(ColumnStatistics("city", 20, 0.1, 9, 0.3, (Slot(2, (), "{a,b}"),)), ColumnStatistics("id", -1, 0, 4)),
    indexes=(IndexStatistics("ix", "orders", 10, 1000, height=1, stat="1000 50 1 sz=10"),),
    combinations=(NDistinct(("city", "id"), 900),),
    writes_per_read=0.5,
    origin=Origin.PRODUCTION,
)


def over(base, **scale):
    return laid_over(base, statistics_from_scale(ScaleSettings.of(scale)))


def file(*tables):
    return Statistics(tables, Origin.PRODUCTION, "dbguard-stats.json of 2026-11-01", "2026-11-01", "postgresql")


def test_sizes_follow_declared_rows():
    found = over(file(ORDERS), orders=10_000).table("orders")
    assert (found.rows, found.pages, found.all_visible, found.origin) == (10_000, 1000, 500, Origin.DECLARED)
    index = found.indexes[0]
    assert (index.pages, index.rows, index.height, index.stat) == (100, 10_000, None, "10000 500 1 sz=10")
    assert found.combinations == (NDistinct(("city", "id"), 900),)
    assert found.columns == ORDERS.columns
    assert found.writes_per_read == 0.5


def test_fewer_rows_have_fewer_combinations_and_at_least_a_page():
    found = rescaled(ORDERS, 5)
    assert (found.pages, found.combinations[0].n_distinct) == (1, 5)
    assert rescaled(ORDERS, 0).pages == 0
    assert rescaled(ORDERS, 1000) is ORDERS


def test_declared_columns_replace_what_was_read():
    found = over(file(ORDERS), columns={"orders.city": {"distinct": 7}, "orders.new": {"nulls": 0.5}}).table("orders")
    assert (found.rows, found.origin) == (1000, Origin.PRODUCTION)
    # common values of 20 cities say nothing of 7
    assert found.column("city") == ColumnStatistics("city", 7, 0.1, 9, 0.3)
    assert found.column("new").null_fraction == 0.5
    assert found.column("id") == ORDERS.column("id")


def test_values_stay_where_they_are_not_contradicted():
    found = over(file(ORDERS), columns={"orders.city": {"width": 20}}).table("orders")
    assert found.column("city").slots == ORDERS.column("city").slots
    assert found.column("city").average_width == 20


def test_the_whole_keeps_its_origin_and_names_both_sources():
    found = over(file(ORDERS), default=5, orders=6)
    assert (found.origin, found.default_rows) == (Origin.PRODUCTION, 5)
    assert found.source == "dbguard-stats.json of 2026-11-01, [tool.dbguard.scale]"


def test_a_name_without_schema_is_of_public_or_the_only_one():
    sales = TableStatistics("sales", "orders", 5, origin=Origin.PRODUCTION)
    archive = TableStatistics("archive", "orders", 6, origin=Origin.PRODUCTION)
    assert over(file(ORDERS, sales), orders=7).table("orders", "public").rows == 7
    assert over(file(sales), orders=7).table("orders", "sales").rows == 7
    both = over(file(archive, sales), orders=7)
    assert [(each.schema, each.rows) for each in both.tables] == [("", 7), ("archive", 6), ("sales", 5)]
