"""What a LIMIT stops, and what sorts and hashes keep in memory."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.plan_effort import allowed_bytes, needed_bytes, with_cuts
from tests.planning.plans import pg_node, pg_plan, pg_read

SCAN = pg_read("Seq Scan", "orders")
OTHER = pg_read("Seq Scan", "customers")
ASIDE = {**OTHER, "Parent Relationship": "SubPlan", "Subplan Name": "SubPlan 1"}
ONCE = {**OTHER, "Parent Relationship": "InitPlan", "Subplan Name": "InitPlan 1"}

CUT = {
    "nothing above": (SCAN, []),
    "a limit": (pg_node("Limit", SCAN), ["Seq Scan on orders"]),
    "a sort below it reads all": (pg_node("Limit", pg_node("Sort", SCAN)), ["Sort"]),
    "a sort by groups does not": (
        pg_node("Limit", pg_node("Incremental Sort", SCAN)),
        ["Incremental Sort", "Seq Scan on orders"],
    ),
    "an aggregate reads all": (pg_node("Limit", pg_node("Aggregate", SCAN, Strategy="Plain")), ["Aggregate"]),
    "a group that is sorted does not": (
        pg_node("Limit", pg_node("Aggregate", SCAN, Strategy="Sorted")),
        ["GroupAggregate", "Seq Scan on orders"],
    ),
    "a hash table is built whole": (
        pg_node("Limit", pg_node("Hash Join", SCAN, pg_node("Hash", OTHER))),
        ["Hash Join", "Seq Scan on orders", "Hash"],
    ),
    "EXISTS stops at the first row": (pg_node("Seq Scan", ASIDE, Relation_Name="orders"), ["Seq Scan on customers"]),
    "EXISTS that is asked once stops too": (
        pg_node("Result", {**ONCE, "Plan Width": 0}),
        ["Seq Scan on customers"],
    ),
    "what is computed once does not": (pg_node("Seq Scan", ONCE, Relation_Name="orders"), []),
}


@pytest.mark.parametrize("case", CUT)
def test_what_may_be_stopped(case):
    root, expected = CUT[case]
    found = [node.text for node, is_cut in with_cuts(pg_plan(root).root) if is_cut]
    assert found == expected


def test_rows_are_padded_and_have_a_header():
    sort = pg_plan(pg_node("Sort", SCAN, rows=1000, Plan_Width=41)).root
    assert needed_bytes(sort) == 1000 * (48 + 24)


@pytest.mark.parametrize(
    ("kind", "settings", "major", "expected"),
    [
        ("Sort", {}, 18, 4 * 1024**2),
        ("Hash", {}, 18, 8 * 1024**2),
        ("Hash", {}, 14, 4 * 1024**2),
        ("Sort", {"work_mem": "64MB"}, 18, 64 * 1024**2),
        ("Sort", {"work_mem": "65536"}, 18, 64 * 1024**2),
        ("Sort", {"work_mem": "512kB", "hash_mem_multiplier": "3"}, 18, 512 * 1024),
        ("Hash", {"work_mem": "512kB", "hash_mem_multiplier": "3"}, 14, 3 * 512 * 1024),
        ("Sort", {"work_mem": "much"}, 18, 4 * 1024**2),
    ],
)
def test_what_may_be_kept_in_memory(kind, settings, major, expected):
    assert allowed_bytes(pg_plan(pg_node(kind)).root, settings, major) == expected
