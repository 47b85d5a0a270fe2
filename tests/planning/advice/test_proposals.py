"""Which indexes advice chooses from."""

from __future__ import annotations

from pytest_dbguard.planning.advice.items import items_of
from pytest_dbguard.planning.advice.proposals import MAX_CARRIED, MAX_KEYS, proposals
from pytest_dbguard.planning.lab.sqlite_lab import SqliteLab
from tests.planning.advice.workloads import workload
from tests.planning.lab.shop_of_sqlite import catalog, statistics


def proposed(lab, text, style):
    items, skipped = items_of(workload(text, style=style), lab.catalog, lab.statistics, lambda: False)
    assert not skipped
    return {(spec.table, spec.keys, spec.include) for item in items for spec in proposals(item)}


def test_values_come_before_a_range_and_before_an_order(postgres):
    found = proposed(
        postgres,
        "SELECT id FROM orders WHERE note = $1 AND customer_id = $2 AND placed_at > $3 ORDER BY total LIMIT 5",
        "numeric_dollar",
    )
    keys = {each[1] for each in found}
    assert {("note",), ("note", "customer_id"), ("customer_id", "note"), ("note", "placed_at")} <= keys
    assert ("note", "total") in keys and ("customer_id", "note", "total") in keys
    assert ("placed_at", "note") not in {each[1] for each in found if not each[2]}


def test_what_a_statement_reads_is_carried_along_where_that_is_narrow(postgres):
    found = proposed(postgres, "SELECT total FROM orders WHERE placed_at = $1", "numeric_dollar")
    assert ("orders", ("placed_at",), ("total",)) in found
    for text in ("SELECT * FROM orders WHERE placed_at = $1", "SELECT note FROM orders WHERE placed_at = $1"):
        assert not any(include for _, _, include in proposed(postgres, text, "numeric_dollar"))


def test_keys_of_joins_of_both_sides(postgres):
    found = proposed(
        postgres,
        "SELECT i.sku FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.note = $1 AND i.sku = $2",
        "numeric_dollar",
    )
    assert ("order_items", ("order_id", "sku"), ()) in found
    assert ("order_items", ("sku", "order_id"), ()) in found


def test_what_exists_is_not_proposed_but_a_narrower_one_may_be(postgres):
    found = proposed(postgres, "SELECT sku FROM order_items WHERE order_id = $1 AND position = $2", "numeric_dollar")
    assert ("order_items", ("order_id", "position"), ()) not in found
    assert ("order_items", ("order_id",), ()) in found


def test_sqlite_carries_along_by_further_keys():
    lab = SqliteLab(catalog(), statistics())
    found = proposed(lab, "SELECT email FROM customers WHERE city = ?", "qmark")
    assert ("customers", ("city", "email"), ()) in found
    assert not any(include for _, _, include in found)
    lab.close()


def test_none_is_wider_than_the_limits(postgres):
    names = ("note", "customer_id", "status", "total", "placed_at", "id")
    condition = " AND ".join(f"{name} = ${number}" for number, name in enumerate(names, 1))
    for _, keys, include in proposed(postgres, f"SELECT id FROM orders WHERE {condition}", "numeric_dollar"):
        assert len(keys) <= MAX_KEYS and len(include) <= MAX_CARRIED


def test_nothing_begins_with_the_number_of_a_row_of_sqlite(sqlite):
    found = proposed(sqlite, "SELECT id, email FROM customers WHERE city = ? ORDER BY id", "qmark")
    assert ("customers", ("city",), ()) in found
    assert not any(keys[0] == "id" for _, keys, _ in found)
