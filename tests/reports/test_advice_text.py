"""Advice as people read it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_dbguard.planning.advice.model import Ending
from pytest_dbguard.planning.assessment import Basis
from pytest_dbguard.reports.advice_text import advice_lines, cost_text, size_text
from tests.reports.advices import advice, catalog

WHOLE = """\
2 statements: cost 10 000 before, 5 500 after (55.0% is left).
1 new index, 6.7 MB of 9.5 MB; writes pay 310 more.

make                                                      size  benefit   serves
  ix_orders_city_at_desc                                6.7 MB    42.0%        1
      orders (city, at DESC) include (total)
      in place of ix_orders_city

drop
  ix_orders_city on orders, 80 kB: ix_orders_city_at_desc begins with the same
  columns
  ix_orders_lower on orders: no plan of this workload uses it: to review

statement                                            times     before      after
  SELECT … FROM orders … BY orders.at DESC               5      1 000        100
  (1 more; --verbose shows all)

SQL
  CREATE INDEX CONCURRENTLY ix_orders_city_at_desc
    ON orders (city, at DESC)
    INCLUDE (total);
  DROP INDEX CONCURRENTLY ix_orders_city;
  -- to review: DROP INDEX CONCURRENTLY ix_orders_lower;

SQLAlchemy, in __table_args__
  # orders
  Index(
      "ix_orders_city_at_desc",
      "city",
      text("at DESC"),
      postgresql_include=["total"]
  ),

2 statements left out: the planner refused it."""


def text(*arguments, **options):
    return "\n".join(advice_lines(*arguments, **options))


def test_the_whole():
    assert text(advice(), catalog()).splitlines() == WHOLE.splitlines()


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider(width):
    for is_verbose in (False, True):
        assert max(map(len, advice_lines(advice(), catalog(), width=width, is_verbose=is_verbose))) <= width


def test_all_of_it():
    shown = text(advice(), catalog(), is_verbose=True)
    assert "by ix_orders_city_at_desc" in shown and "SELECT orders.id FROM orders" in shown
    assert "0 kB: 10 000, 6.7 MB: 5 500" in shown and "12 plans in 1.5 s, made for a test." in shown


def test_how_it_ended_and_what_it_rests_on():
    shown = text(advice(ending=Ending.TIME, basis=Basis.MODELLED, told=("something else",)), catalog())
    assert "The time was over" in shown and "dbguard stats export" in shown and "Something else." in shown
    assert "Interrupted" in text(advice(ending=Ending.INTERRUPTED), catalog())


def test_nothing_to_advise():
    nothing = advice(indexes=(), drops=(), cost_after=10_000.0, not_analysed=())
    assert text(nothing, catalog()).startswith("2 statements, cost 10 000: no new index of at most 9.5 MB")
    assert text(advice(indexes=(), drops=(), statements=(), not_analysed=()), catalog()).startswith("No statement")


def test_small_benefits_and_indexes_beside_others():
    (index,) = advice().indexes
    shown = text(advice(indexes=(replace(index, benefit=0.0001, beside="orders_pkey", replaces=()),)), catalog())
    assert " <0.1% " in shown
    assert "beside orders_pkey, which begins alike" in shown and "in place of" not in shown


def test_sizes_and_costs():
    assert [size_text(size) for size in (0, 8192, 7_000_000, 3.2e9, 3e12)] == [
        "0 kB",
        "8 kB",
        "6.7 MB",
        "3.0 GB",
        "2.7 TB",
    ]
    assert [cost_text(cost) for cost in (0.04, 8.17, 1234567)] == ["0.0", "8.2", "1 234 567"]


@pytest.mark.parametrize(
    ("told", "more"),
    [
        ("no new index makes them cheaper by enough.", {"budget_bytes": None}),
        ("no new index of at most 1 kB makes them cheaper by enough.", {"budget_bytes": 1024}),
        ("no new index was found so far.", {"ending": Ending.TIME}),
    ],
)
def test_why_there_is_none(told, more):
    first = next(advice_lines(advice(indexes=(), **more), catalog(), width=120))
    assert first == f"2 statements, cost 10 000: {told}"
