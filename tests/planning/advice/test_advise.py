"""Advice on whole workloads, by real planners."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from pytest_dbguard.core.findings import Shape
from pytest_dbguard.planning.advice.advise import advise
from pytest_dbguard.planning.advice.model import Ending
from pytest_dbguard.planning.assessment import Basis
from pytest_dbguard.planning.candidates.spelling import name_of
from pytest_dbguard.planning.workload import Workload
from tests.planning.advice.workloads import statement, workload

BY_NOTE = "SELECT total FROM orders WHERE note = $1"
BY_NOTE_LATEST = "SELECT * FROM orders WHERE note = $1 ORDER BY placed_at DESC LIMIT 10"
BY_SKU = "SELECT order_id FROM order_items WHERE sku = $1"
BY_KEY = "SELECT * FROM orders WHERE id = $1"


def asked(lab, *texts, **options):
    return advise(workload(*texts, style="numeric_dollar"), lab.catalog, lab.statistics, lab, **options)


def names(advice):
    return [name_of(each.spec) for each in advice.indexes]


def test_one_index_serves_what_begins_alike(postgres):
    advice = asked(postgres, BY_NOTE_LATEST, "SELECT * FROM orders WHERE note = $1", BY_KEY)
    assert names(advice) == ["ix_orders_note"]
    assert advice.indexes[0].serves == ("s00", "s01")
    assert advice.cost_after < advice.cost_before / 1000
    assert advice.ending is Ending.COMPLETE and advice.basis is Basis.MODELLED


def test_what_is_served_already_needs_nothing(postgres):
    advice = asked(postgres, BY_KEY, "SELECT email FROM customers WHERE email = $1")
    assert advice.indexes == () and advice.cost_after == advice.cost_before
    assert len(advice.statements) == 2


def test_figures_of_statements_add_up(postgres):
    advice = asked(postgres, (BY_NOTE, 3), (BY_SKU, 5), BY_KEY)
    by_shape = {each.shape.id: each for each in advice.statements}
    assert [each.weight for each in advice.statements] == [5, 3, 1]
    assert sum(each.weight * each.before for each in advice.statements) == pytest.approx(advice.cost_before)
    assert sum(each.weight * each.after for each in advice.statements) == pytest.approx(advice.cost_after)
    assert by_shape["s02"].before == by_shape["s02"].after and by_shape["s02"].indexes == ()
    assert set(by_shape["s01"].indexes) <= set(names(advice))
    assert advice.size_bytes == sum(each.size_bytes for each in advice.indexes)


def test_a_budget_is_kept_and_goes_to_what_matters(postgres):
    whole = asked(postgres, (BY_NOTE, 1), (BY_SKU, 50))
    assert {each.spec.table for each in whole.indexes} == {"orders", "order_items"}
    small = asked(postgres, (BY_NOTE, 1), (BY_SKU, 50), budget_bytes=whole.size_bytes - 1)
    assert small.size_bytes < whole.size_bytes
    assert "order_items" in {each.spec.table for each in small.indexes}
    assert asked(postgres, BY_NOTE, BY_SKU, budget_bytes=0).indexes == ()


def test_no_more_than_so_many(postgres):
    advice = asked(postgres, (BY_NOTE, 1), (BY_SKU, 50), max_indexes=1)
    assert [each.spec.table for each in advice.indexes] == ["order_items"]


def test_writes_count_against_an_index(postgres):
    insert = "INSERT INTO order_items (order_id, position, sku) VALUES ($1, $2, $3)"
    few = asked(postgres, BY_SKU, (insert, 1_000))
    assert few.indexes[0].write_cost > 1_000 and few.write_cost == few.indexes[0].write_cost
    assert asked(postgres, BY_SKU, (insert, 100_000_000)).indexes == ()


def test_an_existing_index_that_a_new_one_begins_with_can_go(postgres):
    latest = "SELECT id FROM audit.orders WHERE who = $1 ORDER BY order_id LIMIT 5"
    advice = asked(postgres, latest)
    (index,) = advice.indexes
    assert index.spec.keys[:2] == ("who", "order_id") and index.replaces == ("ix_audit_who",)
    dropped = {each.name: each.reason for each in advice.drops}
    assert dropped["ix_audit_who"] == f"{name_of(index.spec)} begins with the same columns"


def test_what_no_plan_uses_is_to_be_reviewed_unless_a_key_needs_it(postgres):
    dropped = {each.name: each for each in asked(postgres, BY_KEY).drops}
    assert "to review" in dropped["ix_customers_lower"].reason
    assert dropped["ix_customers_lower"].size_bytes > 0
    assert "ix_orders_customer" not in dropped
    assert not any(name.endswith("_pkey") for name in dropped)


def test_the_best_so_far_when_time_is_over(postgres):
    ticks = itertools.count()
    advice = asked(postgres, BY_NOTE, BY_SKU, deadline_s=3, clock=lambda: float(next(ticks)))
    assert advice.ending is Ending.TIME
    assert advice.drops == ()


@pytest.mark.parametrize("when", ["plans", "search"])
def test_the_best_so_far_when_somebody_stops_it(postgres, when):
    def stop(stage, share):
        if stage == when and (share or when == "search"):
            raise KeyboardInterrupt

    advice = asked(postgres, BY_NOTE, BY_SKU, progress=stop)
    assert advice.ending is Ending.INTERRUPTED
    # the dearer statement is looked at first
    assert advice.indexes[0].spec.table == "order_items"
    assert advice.cost_after < advice.cost_before


def test_the_best_so_far_once_somebody_asks_for_it(postgres):
    stages = []
    advice = asked(
        postgres,
        BY_NOTE,
        BY_SKU,
        progress=lambda stage, share: stages.append((stage, share)),
        is_stopped=lambda: ("plans", 0.5) in stages,
    )
    assert advice.ending is Ending.INTERRUPTED
    assert advice.indexes and advice.cost_after < advice.cost_before
    assert advice.drops == ()


def test_the_lab_is_left_as_it_was(postgres):
    before = postgres.explain(BY_NOTE.replace("$1", "'x'")).plan
    asked(postgres, BY_NOTE)
    assert postgres.explain(BY_NOTE.replace("$1", "'x'")).plan == before


def test_a_partitioned_table(postgres):
    advice = asked(postgres, "SELECT at FROM events WHERE kind = $1")
    assert [each.spec.table for each in advice.indexes] == ["events"]
    assert advice.cost_after < advice.cost_before and advice.size_bytes > 0


def test_what_cannot_be_planned_is_counted(postgres):
    advice = asked(postgres, "SELECT nothing FROM orders WHERE note = $1", BY_KEY)
    assert advice.not_analysed == (("the planner refused it", 1),)
    assert asked(postgres).statements == ()


def test_sqlite_is_judged_by_the_rows_that_plans_read(sqlite):
    advice = advise(
        workload(
            "SELECT email FROM customers WHERE city = ?",
            "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.city = ?",
            style="qmark",
        ),
        sqlite.catalog,
        sqlite.statistics,
        sqlite,
    )
    assert {each.spec.columns[0] for each in advice.indexes} == {"city", "customer_id"}
    assert all(each.size_bytes > 0 for each in advice.indexes)
    assert advice.cost_after < advice.cost_before / 100
    assert advice.told


def test_no_literal_of_a_statement_is_in_an_advice(postgres):
    secret = statement(0, "SELECT total FROM orders WHERE note = 'kittens'")
    hidden = replace(secret, shape=Shape("s00", "SELECT total FROM orders WHERE note = ?"))
    advice = advise(Workload("s", (hidden,)), postgres.catalog, postgres.statistics, postgres)
    assert advice.indexes and "kittens" not in repr(advice)
