"""The static model of what SQLite's plans read."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.advice.items import items_of
from pytest_dbguard.planning.advice.plan_costs import costing_of
from pytest_dbguard.planning.lab.base import IndexSpec
from tests.planning.advice.workloads import workload


def cost(lab, text):
    items, _ = items_of(workload(text, style="qmark"), lab.catalog, lab.statistics, lambda: False)
    plan = lab.explain(items[0].sql).plan
    return costing_of(lab.catalog, lab.statistics)(items[0], plan)


def test_a_limit_ends_what_is_read_in_order_but_not_what_is_sorted(sqlite):
    rows = sqlite.statistics.table("orders").rows
    assert cost(sqlite, "SELECT * FROM orders ORDER BY at") == rows
    assert cost(sqlite, "SELECT * FROM orders ORDER BY at LIMIT ?") == pytest.approx(50)
    assert cost(sqlite, "SELECT * FROM orders ORDER BY status LIMIT ?") > rows


def test_an_index_on_an_expression_leaves_few_rows(sqlite):
    rows = sqlite.statistics.table("customers").rows
    by_lower = "SELECT * FROM customers WHERE lower(email) = ?"
    assert cost(sqlite, by_lower) == rows
    (name,) = sqlite.add([IndexSpec("", "customers", ("lower(email)",), (None,))])
    with sqlite.visible(shown=[name]):
        assert rows / 1000 < cost(sqlite, by_lower) < rows / 100
