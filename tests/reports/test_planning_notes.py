"""How statements were planned, as people and programs are told."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from pytest_dbguard.core.verdict import Planning, Verdict
from pytest_dbguard.reports.json_report import JsonReporter, report_schema
from pytest_dbguard.reports.planning_notes import planning_texts
from pytest_dbguard.reports.terminal import TerminalReporter

PLANNING = Planning(
    ("41 shapes planned at 100,000 rows a table (default): sqlite_stat1 in memory",),
    (("cannot be parsed", 2), ("no time", 1)),
    ("dbguard-stats.json knows no table `orders`",),
    12.3456,
)
CLEAN = Verdict(planning=PLANNING)


def texts(verdict, *, is_verbose=False):
    return list(planning_texts(verdict, is_verbose=is_verbose))


@pytest.fixture
def found(findings):
    return replace(CLEAN, findings=(replace(findings.in_loop(), basis="static"),))


def test_a_clean_run_only_tells_what_has_to_be_mended():
    assert texts(CLEAN) == ["dbguard-stats.json knows no table `orders`"]


def test_a_finding_that_rests_on_a_plan_tells_all(found):
    assert texts(found) == [
        "41 shapes planned at 100,000 rows a table (default): sqlite_stat1 in memory.",
        "3 shapes not analysed: 2 cannot be parsed, 1 no time.",
        "dbguard-stats.json knows no table `orders`",
    ]


def test_verbose_tells_all():
    assert len(texts(CLEAN, is_verbose=True)) == 3


def test_other_findings_only_tell_what_was_left_out(findings):
    told = texts(replace(CLEAN, findings=(findings.in_loop(),)))
    assert told[0].startswith("3 shapes not analysed")


def test_nothing_where_nothing_was_planned():
    assert texts(Verdict(), is_verbose=True) == []


def test_the_terminal_shows_it(found, context):
    shown = TerminalReporter().render(found, context())
    assert "3 shapes not analysed: 2 cannot be parsed, 1 no time.\n" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_json(found, context):
    document = json.loads(JsonReporter().render(found, context()))
    jsonschema.validate(document, report_schema())
    assert document["planning"] == {
        "labs": list(PLANNING.labs),
        "not_analysed": {"cannot be parsed": 2, "no time": 1},
        "told": list(PLANNING.told),
    }
    assert document["timing"]["planning_ms"] == 12.346
    assert json.loads(JsonReporter().render(Verdict(), context()))["planning"] is None
