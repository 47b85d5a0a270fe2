"""The rows of sqlite_stat1 that are made up, beside those that ANALYZE writes for rows of that kind."""

from __future__ import annotations

import random
import sqlite3

import pytest

from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.lab.sized_statistics import statistics_at_rows
from pytest_dbguard.planning.lab.sqlite_stat1 import all_rows, stat_of
from pytest_dbguard.planning.statistics.model import (
    ColumnStatistics,
    IndexStatistics,
    NDistinct,
    Statistics,
    TableStatistics,
)
from tests.planning.lab.shop_of_sqlite import (
    CUSTOMERS,
    LABELS,
    ORDERS,
    ORDERS_AT,
    ORDERS_OPEN,
    catalog,
    statistics,
)


def spec(*columns, **options):
    return IndexSpec("", "orders", columns, columns, **options)


def test_as_analyze_writes_them():
    connection = sqlite3.connect(":memory:")
    for ddl in (CUSTOMERS, ORDERS, LABELS, ORDERS_AT, ORDERS_OPEN):
        connection.execute(ddl)
    dice = random.Random(6)
    states = ("open", "paid", "sent", "late", "lost")
    customers = [(n, f"{n}@example.org", n % 50, n % 2) for n in range(1000)]
    orders = [(n, n // 10, dice.choice(states), n) for n in range(10_000)]
    labels = [(n % 40, n // 2) for n in range(3000)]
    connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", customers)
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", orders)
    connection.executemany("INSERT INTO labels VALUES (?, ?)", labels)
    connection.execute("ANALYZE")
    written = list(connection.execute("SELECT tbl, idx, stat FROM sqlite_stat1"))
    made_up = {(table, index): stat for table, index, stat in all_rows(catalog(), statistics(1000), ())}
    # how many orders are open is a matter of luck, and so is how many of a customer's
    share = made_up.pop(("orders", "ix_orders_open")).split()
    measured = {(table, index): stat for table, index, stat in written}
    counted = measured.pop(("orders", "ix_orders_open")).split()
    assert made_up == measured
    assert int(share[0]) == pytest.approx(int(counted[0]), rel=0.1) and share[1:] == counted[1:]


@pytest.mark.parametrize(
    ("index", "stat"),
    [
        (spec("status"), "1000000 200000"),
        (spec("status", "customer_id"), "1000000 200000 3"),
        (spec("id"), "1000000 1"),
        (spec("at"), "1000000 1"),
        (spec("customer_id", predicate="status = 'late'"), "200000 3"),
        (spec("customer_id", predicate="status IN ('late', 'lost')"), "400000 5"),
        (spec("status", is_unique=True), "1000000 1"),
        (IndexSpec("", "orders", ("lower(status)", "at DESC"), (None, "at")), "1000000 200000 1"),
        (IndexSpec("", "orders", ("1",), (None,)), "1000000 5000"),
    ],
)
def test_of_a_candidate(index, stat):
    orders = catalog().table("orders")
    assert stat_of(index, orders, statistics().table("orders")) == stat


def test_columns_that_go_together_count_as_the_statistics_say():
    known = TableStatistics(
        "",
        "orders",
        1000,
        columns=(ColumnStatistics("customer_id", 100), ColumnStatistics("status", 5)),
        combinations=(NDistinct(("customer_id", "status"), 100), NDistinct(("at", "status"), -0.5)),
    )
    orders = catalog().table("orders")
    assert stat_of(spec("status", "customer_id"), orders, known) == "1000 200 10"
    assert stat_of(spec("at", "status"), orders, known).endswith(" 2")


def test_figures_of_a_file_count_and_grow_with_the_rows():
    told = (IndexStatistics("ix_orders_at", "orders", stat="1000 10 sz=40"),)
    known = Statistics(tables=(TableStatistics("", "orders", 1000, indexes=told),))
    orders = catalog().table("orders")
    rows = {index: stat for table, index, stat in all_rows(catalog(), known, ()) if table == "orders"}
    assert rows["ix_orders_at"] == "1000 10 sz=40"
    more = statistics_at_rows(known, orders, 100_000)
    rows = {index: stat for table, index, stat in all_rows(catalog(), more, ()) if table == "orders"}
    assert rows["ix_orders_at"] == "100000 1000 sz=40"


def test_tables_without_a_full_index_say_how_many_rows_they_have():
    rows = list(all_rows(catalog(), Statistics(default_rows=700), ["orders"]))
    assert ("customers", "sqlite_autoindex_customers_1", "700 1") in rows
    assert not [row for row in rows if row[0] in ("orders", "cities")]
