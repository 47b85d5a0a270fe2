"""What is known of pages: how many rows OFFSET skips, and what the rows are sorted by."""

from __future__ import annotations

import pytest

from pytest_dbguard.sql.facts.statement import parsed
from pytest_dbguard.sql.lint import offset, unordered_page
from pytest_dbguard.sql.lint.text import LintedText

COLUMNS = {"orders": ("id", "placed_at", "customer_id"), "customer": ("id", "name")}


def found(sql, detector=offset, dialect="postgresql"):
    text = LintedText(parsed(sql, dialect=dialect, columns=COLUMNS), sql)
    return [(mark.table, mark.number, mark.columns, mark.detail) for mark in detector.marks(text)]


@pytest.mark.parametrize(
    ("order", "columns", "way"),
    [
        ("placed_at, id", ("placed_at", "id"), "asc"),
        ("placed_at DESC, id DESC", ("placed_at", "id"), "desc"),
        ("placed_at DESC, id", ("placed_at", "id"), "mixed"),
        ("2, 1", ("placed_at", "id"), "asc"),
        ("at", ("placed_at",), "asc"),
        ("lower(at)", (), ""),
    ],
)
def test_sort_keys(order, columns, way):
    sql = f"SELECT id, placed_at AS at FROM orders ORDER BY {order} LIMIT 10 OFFSET 70"
    assert found(sql) == [("orders", 70, columns, way)]


def test_keys_of_two_tables_are_none():
    sql = "SELECT o.id FROM orders o JOIN customer c ON c.id = o.customer_id ORDER BY c.name, o.id OFFSET 70"
    assert found(sql) == [("orders", 70, (), "")]


def test_keys_of_another_table_than_the_first():
    sql = "SELECT o.id FROM orders o JOIN customer c ON c.id = o.customer_id ORDER BY c.name OFFSET 70"
    assert found(sql) == [("customer", 70, ("name",), "asc")]


@pytest.mark.parametrize(
    ("skipped", "number"), [("$1", None), ("70", 70), ("CAST(70 AS bigint)", 70), ("7 * 10", None)]
)
def test_how_many_are_skipped(skipped, number):
    assert found(f"SELECT id FROM orders ORDER BY id OFFSET {skipped}") == [("orders", number, ("id",), "asc")]


def test_the_number_that_stands_first_is_skipped():
    assert found("SELECT id FROM orders ORDER BY id LIMIT 70, 5", dialect="sqlite") == [("orders", 70, ("id",), "asc")]


def test_a_page_of_a_join_has_no_keys_that_could_decide():
    sql = "SELECT o.id FROM orders o JOIN customer c ON c.id = o.customer_id ORDER BY o.id LIMIT 5 OFFSET 70"
    assert found(sql, unordered_page) == []


def test_a_page_of_one_table_has_keys():
    sql = "SELECT id FROM orders ORDER BY placed_at LIMIT 5 OFFSET 70"
    assert found(sql, unordered_page) == [("orders", 70, ("placed_at",), "sorted")]
