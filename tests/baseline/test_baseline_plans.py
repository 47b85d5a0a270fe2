"""The plans in the baseline: bytes, merges and updates."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.baseline.counts import CountEntry, Counts, TestKey
from pytest_dbguard.baseline.document import to_text
from pytest_dbguard.baseline.file import read_baseline, write_baseline
from pytest_dbguard.baseline.model import Baseline
from pytest_dbguard.baseline.plans import PlanBasis, PlanEntry, PlanKey, Plans
from pytest_dbguard.core.errors import BaselineError

FORGED = PlanBasis("18", "forged", "default")
OTHER = PlanBasis("15", "density", "dbguard-stats.json of 2026-11-01")
SHAPES = [f"{number:012x}" for number in range(6)]
LINES = ["sort", "  index scan on orders using ix_city", "sequential scan on customers"]
ENTRIES = st.builds(
    PlanEntry,
    st.builds(PlanKey, st.sampled_from(["postgresql", "sqlite"]), st.sampled_from(SHAPES)),
    st.dictionaries(st.sampled_from(["orders", "customers"]), st.integers(0, 10**12)).map(
        lambda rows: tuple(sorted(rows.items()))
    ),
    st.lists(st.sampled_from(LINES), max_size=3).map(tuple),
    st.none() | st.floats(0, 1e12),
    st.sampled_from(["", "3fa1"]),
)
BASES = st.dictionaries(st.sampled_from(["postgresql", "sqlite"]), st.sampled_from([FORGED, OTHER]))
PLANS = st.builds(Plans, st.lists(ENTRIES, max_size=8).map(tuple), BASES)


def entry(shape="a", *plan, cost=8.45, rows=100_000, dialect="postgresql", constants=""):
    key = PlanKey(dialect, shape)
    return PlanEntry(key, (("orders", rows),), plan or ("index scan on orders",), cost, constants)


def plans(*entries, basis=FORGED):
    return Plans(entries, {"postgresql": basis}, (("a", "SELECT a"), ("b", "SELECT b"), ("zzz", "not named")))


def updated(before, *entries, basis=FORGED):
    return before.updated(entries, {"postgresql": basis}, {"a": "SELECT other", "c": "SELECT c"})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dbguard-baseline.json"


def test_one_plan_a_line_in_the_order_of_tables(path):
    customers = PlanEntry(PlanKey("postgresql", "b"), (("customers", 5),), ("sequential scan on customers",), 2.0)
    accepted = plans(entry("a", "sort", "  index scan on orders using ix"), customers)
    write_baseline(path, Baseline(plans=accepted))
    assert path.read_text().split("\n")[4:12] == [
        '  "plans": [',
        '    {"dialect": "postgresql", "shape": "b", "tables": {"customers": 5}, '
        '"plan": ["sequential scan on customers"], "cost": 2.0},',
        '    {"dialect": "postgresql", "shape": "a", "tables": {"orders": 100000}, '
        '"plan": ["sort", "  index scan on orders using ix"], "cost": 8.45}',
        "  ],",
        '  "planned_with": {',
        '    "postgresql": {"version": "18", "sizes": "forged", "statistics": "default"}',
        "  },",
        '  "shapes": {',
    ]
    assert read_baseline(path).plans == accepted


def test_a_plan_without_a_cost_has_none_in_its_line(path):
    write_baseline(path, Baseline(plans=Plans((entry(cost=None, dialect="sqlite"),))))
    assert '"cost"' not in path.read_text()
    assert read_baseline(path).plans.entries[0].cost is None


@given(PLANS)
def test_reading_gives_what_was_written(tmp_path_factory, accepted):
    path = tmp_path_factory.mktemp("baseline") / "b.json"
    write_baseline(path, Baseline(plans=accepted))
    assert read_baseline(path).plans == accepted
    assert to_text(read_baseline(path)) == path.read_text()


def test_texts_of_shapes_serve_counts_and_plans_alike(path):
    counts = Counts((CountEntry.of(TestKey.of("t.py::t"), "call", {"b": 1}),), (("b", "SELECT b"),))
    write_baseline(path, Baseline(counts=counts, plans=plans(entry("a"))))
    again = read_baseline(path)
    assert again.counts.texts == (("b", "SELECT b"),)
    assert again.plans.texts == (("a", "SELECT a"),)


@given(PLANS)
def test_the_order_of_entries_does_not_matter(accepted):
    assert Plans(accepted.entries[::-1] + accepted.entries, accepted.made_with) == accepted


def test_an_update_takes_in_new_plans_and_keeps_what_did_not_run():
    accepted = updated(plans(entry("a"), entry("b")), entry("a", "sequential scan on orders", cost=900.0), entry("c"))
    assert [(each.key.shape, each.plan[0], each.cost) for each in accepted.entries] == [
        ("a", "sequential scan on orders", 900.0),
        ("b", "index scan on orders", 8.45),
        ("c", "index scan on orders", 8.45),
    ]
    assert accepted.texts == (("a", "SELECT a"), ("b", "SELECT b"), ("c", "SELECT c"))


@pytest.mark.parametrize(
    ("now", "is_kept"),
    [
        (entry(cost=8.5), True),
        (entry(cost=9.5), False),
        (entry(cost=7.0), False),
        (entry(cost=None), False),
        (entry(rows=100_001), False),
        (entry(constants="3fa1"), False),
    ],
)
def test_a_line_changes_only_where_it_says_something_else(now, is_kept):
    assert updated(plans(entry()), now).entries == ((entry(),) if is_kept else (now,))


@given(PLANS, st.lists(ENTRIES, max_size=5), BASES)
def test_updating_twice_changes_nothing_more(accepted, run, bases):
    once = accepted.updated(run, bases, {})
    assert once.updated(run, bases, {}) == once
    assert {each.key for each in run if each.plan} <= once.keys
    assert accepted.keys <= once.keys


def test_plans_of_another_planner_are_renewed_and_the_others_lose_their_costs():
    accepted = updated(plans(entry("a"), entry("b")), entry("a", cost=8.5), basis=OTHER)
    assert [each.cost for each in accepted.entries] == [8.5, None]
    assert accepted.made_with == {"postgresql": OTHER}


def test_plans_of_another_database_are_not_touched():
    sqlite = entry("b", dialect="sqlite", cost=None)
    before = Plans((entry("a"), sqlite), {"postgresql": FORGED, "sqlite": OTHER})
    after = before.updated([entry("a", cost=99.0)], {"postgresql": OTHER}, {})
    assert sqlite in after.entries
    assert after.made_with["sqlite"] == OTHER


def test_all_plans_of_a_shape_are_replaced_together():
    several = plans(entry("a", "one"), entry("a", "two"))
    assert len(several.of(PlanKey("postgresql", "a"))) == 2
    assert updated(several, entry("a", "three")).entries == (entry("a", "three"),)


def test_what_is_gone_is_told_only_of_databases_that_were_used():
    accepted = Plans((entry("a"), entry("b"), entry("c", dialect="sqlite")), {})
    gone = accepted.gone({PlanKey("postgresql", "a")})
    assert gone == {PlanKey("postgresql", "b")}
    assert [each.key.shape for each in accepted.without(gone).entries] == ["a", "c"]
    assert accepted.gone(()) == frozenset()


def test_git_merges_updates_of_two_branches(tmp_path):
    base = plans(*(entry(shape) for shape in SHAPES))
    ours = updated(base, entry(SHAPES[0], "sort", cost=1.0))
    theirs = updated(base, entry(SHAPES[5], "sort", cost=2.0))
    for name, accepted in (("ours", ours), ("base", base), ("theirs", theirs)):
        (tmp_path / name).write_text(to_text(Baseline(plans=accepted)))
    subprocess.run(["git", "merge-file", "ours", "base", "theirs"], cwd=tmp_path, check=True)
    costs = [each.cost for each in read_baseline(tmp_path / "ours").plans.entries]
    assert costs == [1.0, 8.45, 8.45, 8.45, 8.45, 2.0]


def test_of_two_lines_with_one_plan_the_dearer_is_accepted():
    assert plans(entry(cost=1.0), entry(cost=9.0), entry(cost=4.0)).entries == (entry(cost=9.0),)


LINE = {"dialect": "postgresql", "shape": "a", "tables": {"orders": 5}, "plan": ["sort"], "cost": 1}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cost": -1}, "plans[0].cost: input should be greater than or equal to 0, not -1"),
        ({"cost": "1"}, "plans[0].cost: input should be a valid number, not '1'"),
        ({"plan": []}, "plans[0].plan: list should have at least 1 item"),
        ({"tables": ["orders"]}, "plans[0].tables: input should be a valid dictionary"),
        ({"tabels": {}}, "plans[0].tabels: unknown key, did you mean 'tables'?"),
    ],
)
def test_a_wrong_line(path, changes, told):
    path.write_text(json.dumps({"format": 3, "findings": [], "plans": [LINE | changes]}))
    with pytest.raises(BaselineError) as caught:
        read_baseline(path)
    assert told in caught.value.message


def test_a_wrong_basis(path):
    basis = {"postgresql": {"version": "18", "sizes": "forged", "statistik": "default"}}
    path.write_text(json.dumps({"format": 3, "findings": [], "planned_with": basis}))
    with pytest.raises(
        BaselineError, match=r"planned_with.postgresql.statistik: unknown key, did you mean 'statistics'"
    ):
        read_baseline(path)


@pytest.mark.parametrize("number", [1, 2])
def test_older_formats_have_no_plans(path, number):
    path.write_text(json.dumps({"format": number, "findings": []}))
    assert read_baseline(path) == Baseline()
