"""Advice for programs."""

from __future__ import annotations

import json

from pytest_dbguard.reports.advice_document import advice_document
from tests.reports.advices import advice, catalog


def test_the_whole_is_json():
    found = json.loads(json.dumps(advice_document(advice(), catalog())))
    (index,) = found["indexes"]
    assert found["format"] == 1 and (found["cost_before"], found["cost_after"]) == (10_000.0, 5_500.0)
    assert index["name"] == "ix_orders_city_at_desc" and index["replaces"] == ["ix_orders_city"]
    assert index["sql"].startswith("CREATE INDEX ix_orders_city_at_desc ON orders")
    assert [each["name"] for each in found["drops"]] == ["ix_orders_city", "ix_orders_lower"]
    assert found["statements"][0]["indexes"] == ["ix_orders_city_at_desc"]
    assert found["not_analysed"] == {"the planner refused it": 2}
