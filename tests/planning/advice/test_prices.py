"""What is asked of a lab, and what follows from what was asked."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.advice.items import items_of
from pytest_dbguard.planning.advice.prices import Prices
from pytest_dbguard.schema.catalog import Catalog, Dialect
from tests.planning.advice.workloads import workload
from tests.planning.scripted_lab import ScriptedLab, index_on, orders, plan_of, scan_of, sizes

CITY, CUSTOMER = index_on("orders", "city"), index_on("orders", "customer_id")


def by_city(_sql, shown, _rows):
    if "orders(city)" in shown:
        return plan_of(scan_of("orders", 5.0, index="orders(city)"), cost=5.0)
    return plan_of(scan_of("orders", 100.0), cost=100.0)


@pytest.fixture
def priced():
    catalog = Catalog(Dialect.POSTGRESQL, tables=(orders(),))
    lab = ScriptedLab(by_city, catalog=catalog)
    lab.statistics = sizes(orders=100_000)
    items, _ = items_of(
        workload("SELECT id FROM orders WHERE city = $1 AND customer_id = $2"), catalog, lab.statistics, lambda: False
    )
    prices = Prices(lab, items, lambda _item, plan: plan.cost)
    assert prices.add([CITY, CUSTOMER]) == 0b11
    return lab, prices, items


def test_sets_between_used_and_shown_need_no_question(priced):
    lab, prices, (item,) = priced
    prices.ask([item], 0b11)
    assert (prices.known(item, 0b11).cost, prices.known(item, 0b01).cost) == (5.0, 5.0)
    assert prices.known(item, 0b10) is None
    prices.ask([item], 0b01)
    assert len(lab.asked) == 1
    prices.ask([item], 0b10)
    assert prices.known(item, 0b10).cost == prices.known(item, 0).cost == 100.0
    assert len(lab.asked) == prices.asked == 2


def test_a_refused_candidate_is_left_out(priced):
    lab, prices, _ = priced
    lab.refused = {"orders(id)"}
    assert prices.add([index_on("orders", "id"), CITY]) == 0
    assert len(prices.specs) == 2


def test_candidates_that_no_column_asks_for_are_not_shown(priced):
    lab, prices, (item,) = priced
    added = prices.add([index_on("customers", "name")])
    prices.ask([item], 0b11 | added)
    assert lab.asked[-1][1] == {"orders(city)", "orders(customer_id)"}


def test_what_the_planner_refuses_is_asked_once(priced):
    lab, prices, (item,) = priced
    lab._script = lambda *_: None
    prices.ask([item], 0)
    prices.ask([item], 0b11)
    assert len(lab.asked) == 1
    assert prices.refused == {0: "the planner refused it"}
