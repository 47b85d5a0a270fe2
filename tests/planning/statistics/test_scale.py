"""Declared sizes: numbers as people write them, names as TOML nests them, and errors that name the key."""

from __future__ import annotations

import tomllib

import pytest

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.planning.statistics.model import Origin
from pytest_dbguard.planning.statistics.scale import ScaleSettings, statistics_from_scale


def scale(text):
    return ScaleSettings.of(tomllib.loads(text))


@pytest.mark.parametrize(
    ("written", "rows"),
    [
        ("10_000_000", 10_000_000),
        ('"10m"', 10_000_000),
        ('"1.5 million"', 1_500_000),
        ('"20k"', 20_000),
        ('"2 billion"', 2_000_000_000),
        ('"1,234,567"', 1_234_567),
        ('"5_000"', 5000),
        ("0", 0),
        ("1e6", 1_000_000),
    ],
)
def test_rows_are_numbers_or_texts_as_people_write_them(written, rows):
    assert scale(f"orders = {written}").tables == {"orders": rows}


def test_tables_and_columns_are_found_whichever_way_toml_nests_them():
    quoted = scale(
        '"sales.orders" = 5\nitems = 6\n[columns]\n"sales.orders.status" = {distinct = 3}\n"items.n".nulls = 0.5'
    )
    nested = scale(
        "sales.orders = 5\ntables.items = 6\n[columns]\nsales.orders.status.distinct = 3\nitems.n = {nulls = 0.5}"
    )
    assert quoted == nested
    assert quoted.tables == {"sales.orders": 5, "items": 6}


def test_tables_may_be_named_like_the_settings():
    found = scale("default = 7\ncolumns = 8\ntables = 9\n")
    assert (found.default, found.tables) == (7, {"columns": 8, "tables": 9})
    assert scale("[tables]\ndefault = 10").tables == {"default": 10}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('orders = "many"', "orders: expected a number of rows, such as 10_000_000 or \"10m\", not 'many'"),
        ("orders = true", 'orders: expected a number of rows, such as 10_000_000 or "10m", not true'),
        ("orders = -1", "orders: expected 0 or more, not -1"),
        ("orders = 1.5", "orders: expected a whole number, not 1.5"),
        ("sales.orders = [1]", "sales.orders: expected a whole number, not a list"),
        ("columns.orders.city.distinkt = 1", "orders.city: unknown key 'distinkt'"),
        (
            'columns.orders.city.distinct = "all"',
            "orders.city.distinct: expected a number, a share below 1, or 'unique'",
        ),
        ("columns.orders.city.nulls = 2", "orders.city.nulls: expected 1 or less, not 2"),
        ('columns."orders.city" = 5', "orders.city: expected a table, not 5"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_key(text, told):
    with pytest.raises(ConfigError) as caught:
        scale(text)
    assert str(caught.value).startswith(f"[tool.dbguard.scale]: {told}")


def test_all_problems_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        scale("orders = -1\nitems = -2")
    assert "orders" in str(caught.value)
    assert "items" in str(caught.value)


def test_statistics_hold_what_is_declared_and_nothing_else():
    declared = scale(
        """
        default = 1000
        orders = 5000
        [columns]
        "orders.status" = {distinct = 5, nulls = 0.25, width = 12}
        "orders.code" = {distinct = "unique"}
        "orders.at" = {distinct = 0.5, correlation = 0.9}
        "sales.items.n" = {distinct = 2}
        """
    )
    found = statistics_from_scale(declared)
    orders, items = found.table("orders"), found.table("items")
    assert (found.origin, found.source, found.default_rows) == (Origin.DECLARED, "[tool.dbguard.scale]", 1000)
    assert (orders.rows, orders.origin) == (5000, Origin.DECLARED)
    assert (items.schema, items.rows, items.origin) == ("sales", 1000, Origin.DEFAULT)
    assert [column.name for column in orders.columns] == ["at", "code", "status"]
    assert [column.n_distinct for column in orders.columns] == [-0.5, -1, 5]
    status = orders.column("status")
    assert (status.null_fraction, status.average_width) == (0.25, 12)
    assert orders.column("at").correlation == 0.9


def test_nothing_declared_is_the_default():
    found = statistics_from_scale(ScaleSettings())
    assert (found.origin, found.source, found.tables, found.default_rows) == (Origin.DEFAULT, "default", (), 100_000)
