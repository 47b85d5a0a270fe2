"""Plans in a terminal: within the width, the costly node marked, of long plans what leads to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.core.findings import Fix, PlanLine, PlanMark, Remedy
from pytest_dbguard.reports.finding_block import Canvas, finding_block
from pytest_dbguard.reports.fitting import cells
from pytest_dbguard.reports.plan_block import MAX_LINES, plan_block
from pytest_dbguard.reports.source import SourceReader
from pytest_dbguard.reports.style import Style
from tests.reports.conftest import n_plus_one

PLAIN = Style(color=False)
PLAN = (
    PlanLine(0, "Limit (rows=10 cost=18,401)"),
    PlanLine(1, "-> Sort (rows=30 cost=18,401)"),
    PlanLine(2, "Sort Key: orders.at DESC"),
    PlanLine(2, "-> Seq Scan on orders (rows=100,000 cost=18,334)", PlanMark.HOT),
    PlanLine(3, "Filter: (city = ?)"),
)
TREES = (
    PlanLine(0, "before, cost 8.45:"),
    PlanLine(1, "index scan on orders using ix", PlanMark.REMOVED),
    PlanLine(0, "now, cost 18,334:"),
    PlanLine(1, "sort", PlanMark.ADDED),
    PlanLine(2, "sequential scan on orders", PlanMark.ADDED),
)
LINES = st.lists(
    st.builds(PlanLine, st.integers(0, 300), st.text(max_size=120), st.sampled_from(PlanMark)), max_size=60
).map(tuple)


def test_the_costly_node_is_marked():
    assert plan_block(PLAN, PLAIN, 67) == [
        "  Limit (rows=10 cost=18,401)",
        "    -> Sort (rows=30 cost=18,401)",
        "      Sort Key: orders.at DESC",
        "*     -> Seq Scan on orders (rows=100,000 cost=18,334)",
        "        Filter: (city = ?)",
    ]


def test_two_plans_show_what_only_one_has():
    assert plan_block(TREES, PLAIN, 67) == [
        "  before, cost 8.45:",
        "-   index scan on orders using ix",
        "  now, cost 18,334:",
        "+   sort",
        "+     sequential scan on orders",
    ]


def test_without_marks_there_is_no_column_for_them():
    assert plan_block((PlanLine(0, "SCAN orders"), PlanLine(1, "x")), PLAIN, 67) == ["SCAN orders", "  x"]


def chain(length):
    """A plan of nodes below each other, the last one marked."""
    nodes = [PlanLine(depth, f"-> node {depth}") for depth in range(length)]
    return (*nodes, PlanLine(length, "-> the scan", PlanMark.HOT), PlanLine(length + 1, "Filter: (a = ?)"))


def test_of_a_deep_plan_the_top_and_what_is_near_is_shown():
    shown = plan_block(chain(40), PLAIN, 80)
    assert shown[:3] == ["  -> node 0", "  (28 more lines)", "    -> node 29"]
    assert shown[-3:] == [
        "                        -> node 39",
        "*                         -> the scan",
        "                            Filter: (a = ?)",
    ]
    assert len(plan_block(chain(40), PLAIN, 67, is_verbose=True)) == 42


def test_a_gap_of_one_line_is_filled():
    assert not any("more line" in text for text in plan_block(chain(MAX_LINES - 1), PLAIN, 67))


def test_the_figures_stay_when_a_name_is_too_long():
    line = PlanLine(0, f"Seq Scan on {'long_' * 30} (rows=100,000 cost=18,334)", PlanMark.HOT)
    (text,) = plan_block((line,), PLAIN, 60)
    assert text.startswith("* Seq Scan on long_")
    assert text.endswith("… (rows=100,000 cost=18,334)")
    assert cells(text) == 60


@given(LINES, st.integers(20, 140), st.booleans())
def test_whatever_the_plan_it_fits(plan, room, is_verbose):
    shown = plan_block(plan, PLAIN, room, is_verbose=is_verbose)
    assert all(cells(text) <= room for text in shown)
    assert len(shown) <= (len(plan) if is_verbose else 2 * MAX_LINES + 1)
    assert all("\n" not in text for text in shown)


@given(LINES)
def test_colour_changes_nothing_but_colour(plan):
    painted = plan_block(plan, Style(color=True), 67)
    bare = [text.replace("\033[0m", "") for text in painted]
    for code in ("\033[1;33m", "\033[31m", "\033[32m", "\033[2m"):
        bare = [text.replace(code, "") for text in bare]
    assert bare == plan_block(plan, PLAIN, 67)


def details(**changes):
    """The lines of a finding below its excerpt, from its basis on."""
    finding = n_plus_one(
        site=None,
        origin=None,
        loop=None,
        basis="modelled at 100,000 rows (default)",
        plan=PLAN,
        fix=Fix("add this index to `__table_args__` of `orders`", 'Index("ix_orders_city", "city")'),
        remedies=(
            Remedy("sql", "CREATE INDEX ix_orders_city ON orders (city);"),
            Remedy("sqlalchemy", 'Index("ix_orders_city", "city")'),
            Remedy(
                "alembic", "# comments are broken " + "anywhere " * 9 + '\nop.create_index("ix", "orders", ["city"])'
            ),
        ),
        **changes,
    )
    lines = finding_block(finding, Canvas(SourceReader(Path()), PLAIN, 80))
    return lines[next(number for number, line in enumerate(lines) if "= basis:" in line) :]


def test_basis_plan_fix_and_what_each_tool_wants():
    assert details() == [
        "   = basis:  modelled at 100,000 rows (default)",
        "   = plan:     Limit (rows=10 cost=18,401)",
        "                 -> Sort (rows=30 cost=18,401)",
        "                   Sort Key: orders.at DESC",
        "             *     -> Seq Scan on orders (rows=100,000 cost=18,334)",
        "                     Filter: (city = ?)",
        "   = help:   add this index to `__table_args__` of `orders`",
        '             Index("ix_orders_city", "city")',
        "   = sql:    CREATE INDEX ix_orders_city ON orders (city);",
        "   = alembic:",
        "             # comments are broken anywhere anywhere anywhere anywhere anywhere",
        "             # anywhere anywhere anywhere anywhere",
        '             op.create_index("ix", "orders", ["city"])',
        "   = more:   dbguard explain DBG101",
    ]


def test_a_change_that_the_fix_does_not_show_is_shown_below_its_label():
    lines = details()
    assert not any("sqlalchemy" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_finding_with_a_plan_fits(width):
    finding = n_plus_one(fix=None, plan=chain(40), basis="proven (statistics of 2026-11-01, 12,400,000 rows)")
    assert all(cells(line) <= width for line in finding_block(finding, Canvas(SourceReader(Path()), PLAIN, width)))
