"""Declared names that the schema has not."""

from __future__ import annotations

from pytest_dbguard.planning.statistics.drift import differences
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
