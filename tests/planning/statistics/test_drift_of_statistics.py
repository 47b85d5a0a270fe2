"""Declared names that the schema has not."""

from __future__ import annotations

from pytest_dbguard.planning.statistics.drift import differences
from pytest_dbguard.planning.statistics.model import ColumnStatistics, Origin, Statistics, TableStatistics
from pytest_dbguard.planning.statistics.overlay import laid_over
from pytest_dbguard.planning.statistics.scale import ScaleSettings, statistics_from_scale
from pytest_dbguard.schema.catalog import Column
from tests.planning.statistics.schemas import number, postgres, shop, sqlite, table


def lines(catalog, **scale):
    return differences(statistics_from_scale(ScaleSettings.of(scale)), catalog)


def test_what_is_there_is_not_told():
    columns = {"orders.city": {"distinct": 5}, "public.orders.status": {"distinct": 3}}
    assert lines(shop(), orders=5, columns=columns, **{"public.items": 6}) == ()
    assert lines(sqlite(table("Orders", number(), Column("City", "TEXT"), schema="")), orders=5) == ()


def test_unknown_names_are_told_with_the_nearest():
    found = lines(shop(), oders=5, columns={"orders.citty": {"distinct": 3}, "orders.city": {"nulls": 0}})
    assert found == (
        "[tool.dbguard.scale] names the unknown table 'oders', did you mean 'orders'?",
        "[tool.dbguard.scale] names the unknown column 'orders.citty', did you mean 'orders.city'?",
    )


def test_a_table_of_another_schema_is_not_the_one_of_that_name():
    catalog = postgres(table("orders", number(), schema="sales"), search_path=("sales",))
    assert lines(catalog, orders=5) == ()
    assert lines(catalog, **{"archive.orders": 5}) == (
        "[tool.dbguard.scale] names the unknown table 'archive.orders', did you mean 'sales.orders'?",
    )


def of_file(*tables):
    columns = (ColumnStatistics("city"), ColumnStatistics("id"))
    found = tuple(TableStatistics("public", name, 5, 1, columns=columns, origin=Origin.PRODUCTION) for name in tables)
    return Statistics(found, Origin.PRODUCTION, "dbguard-stats.json")


def over(base, catalog, **scale):
    return differences(laid_over(base, statistics_from_scale(ScaleSettings.of(scale))), catalog)


def test_what_is_declared_over_a_file_is_no_difference():
    orders, items = (table(name, number(), Column("city", "text")) for name in ("orders", "items"))
    both = postgres(orders, items)
    assert differences(of_file("orders", "items"), both) == ()
    assert over(of_file("orders", "items"), both, orders=9, columns={"items.city": {"distinct": 3}}) == ()
    # a table that is new, and only declared
    assert over(of_file("orders"), both, items=9, columns={"items.city": {"distinct": 3}}) == ()


def test_tables_and_columns_of_one_side_are_told():
    catalog = postgres(table("orders", number(), Column("town", "text")), table("items", number()))
    found = differences(of_file("orders", "itms"), catalog)
    assert len(found) == 3
    assert all(name in " ".join(found) for name in ("itms", "items", "town", "city"))
