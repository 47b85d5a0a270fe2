"""What writes pay for an index, by the model that is stated there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_dbguard.planning.advice.items import items_of
from pytest_dbguard.planning.advice.upkeep import MOST_WRITES_PER_READ, Upkeep
from pytest_dbguard.schema.catalog import Catalog, Dialect
from tests.planning.advice.workloads import workload
from tests.planning.scripted_lab import index_on, orders, plan_of, scan_of, sizes

CATALOG = Catalog(Dialect.POSTGRESQL, tables=(orders(),))
CITY, CUSTOMER = index_on("orders", "city"), index_on("orders", "customer_id")
MEGABYTE = 2**20


def upkeep(*texts, plans=None, statistics=None):
    statistics = statistics or sizes(orders=100_000)
    items, _ = items_of(workload(*texts), CATALOG, statistics, lambda: False)
    return Upkeep(items, plans or {}, CATALOG, statistics)


def test_who_only_reads_pays_nothing():
    assert upkeep("SELECT city FROM orders WHERE id = $1").of(CITY, MEGABYTE) == 0


def test_inserts_pay_for_all_indexes_and_updates_for_what_they_set():
    inserts = upkeep(("INSERT INTO orders (id, city) VALUES ($1, $2)", 10))
    assert inserts.of(CITY, MEGABYTE) == inserts.of(CUSTOMER, MEGABYTE) > 10
    updates = upkeep(("UPDATE orders SET city = $1 WHERE id = $2", 10))
    assert updates.of(CUSTOMER, MEGABYTE) == 0
    assert updates.of(CITY, MEGABYTE) == pytest.approx(2 * inserts.of(CITY, MEGABYTE))


def test_a_write_counts_for_the_rows_that_it_finds():
    node = replace(scan_of("orders"), rows=50.0)
    text = "DELETE FROM orders WHERE city = $1"
    assert upkeep(text, plans={0: plan_of(node)}).of(CITY, MEGABYTE) == pytest.approx(
        50 * upkeep(text).of(CITY, MEGABYTE)
    )


def test_a_larger_index_costs_more():
    one = upkeep("INSERT INTO orders (id) VALUES ($1)")
    assert one.of(CITY, 1_000 * MEGABYTE) > one.of(CITY, MEGABYTE)


def test_production_tells_of_writes_that_nobody_recorded():
    def told(number):
        (table,) = sizes(orders=100_000).tables
        statistics = replace(sizes(), tables=(replace(table, writes_per_read=number),))
        return upkeep(("SELECT city FROM orders WHERE id = $1", 3), statistics=statistics).of(CITY, MEGABYTE)

    one = upkeep("INSERT INTO orders (id) VALUES ($1)").of(CITY, MEGABYTE)
    assert told(2.0) == pytest.approx(6 * one)
    assert told(1e9) == pytest.approx(3 * MOST_WRITES_PER_READ * one), "of how the table was filled"
