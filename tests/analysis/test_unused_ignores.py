"""Which ignores are called unused, and which wrong."""

from __future__ import annotations

import pytest

from pytest_dbguard.analysis.ignore_book import IgnoreBook, WrongIgnore
from pytest_dbguard.analysis.ignore_words import read_word
from pytest_dbguard.analysis.judge import active_rules
from pytest_dbguard.analysis.unused_ignores import RunOfTests, ignore_findings
from pytest_dbguard.core.findings import Certainty, Severity, Site
from pytest_dbguard.core.ignores import Ignore, IgnoreKind

FULL = RunOfTests({"t1", "t2"}, {"t1", "t2"}, set())
PART = RunOfTests(None, {"t1"}, set())
CUT_SHORT = RunOfTests({"t1", "t2"}, {"t1"}, set())
EMPTY = RunOfTests(set(), set(), set())


def ignore(word="DBG101", kind=IgnoreKind.COMMENT, line=3, owner="", key=""):
    return Ignore(kind, read_word(word), Site("a.py", line), owner, key)


def told(*written, used=(), run=FULL, tests=(), rules=None, **book):
    known = IgnoreBook(used=set(used), written={each: set(tests) for each in written}, **book)
    return ignore_findings(active_rules() if rules is None else rules, known, run)


def test_unused():
    used, unused = ignore(line=3), ignore(line=4)
    [finding] = told(used, unused, used=[used])
    assert (finding.rule, finding.severity, finding.site.line) == ("DBG911", Severity.NOTE, 4)
    assert finding.message == "`ignore[DBG101]` silences nothing"
    assert finding.certainty is Certainty.CERTAIN


@pytest.mark.parametrize("run", [PART, CUT_SHORT, EMPTY], ids=["part", "cut short", "empty"])
def test_only_a_full_run_tells(run):
    assert told(ignore(), run=run) == ()


@pytest.mark.parametrize(
    ("rules", "severity"),
    [
        ({}, Severity.NOTE),
        ({"preview": True}, Severity.WARNING),
        ({"select": ["DBG1", "unused-ignore"]}, Severity.WARNING),
        ({"tables": {"unused-ignore": {"severity": "error"}}, "preview": True}, Severity.ERROR),
    ],
)
def test_severities(rules, severity):
    [finding] = told(ignore(), rules=active_rules(**rules))
    assert finding.severity is severity


@pytest.mark.parametrize(
    ("word", "rules", "is_told"),
    [
        ("DBG101", {"ignore": ["DBG911"]}, False),
        ("DBG101", {"ignore": ["DBG101"]}, False),
        ("DBG1", {"ignore": ["DBG106"]}, False),
        ("DBG101", {"ignore": ["DBG106"]}, True),
        ("DBG902", {}, False),
        ("DBG911", {}, False),
    ],
)
def test_rules_that_do_not_run_or_judge_the_whole_run_make_nothing_unused(word, rules, is_told):
    assert bool(told(ignore(word), rules=active_rules(**rules))) is is_told


def test_a_marker_waits_for_all_its_tests():
    mark = ignore(kind=IgnoreKind.MARKER, owner="test_a.py::test")
    [finding] = told(mark, tests=["t1", "t2"])
    assert finding.tests == ("t1", "t2")
    assert told(mark, tests=["t1", "t2"], run=RunOfTests({"t1", "t2"}, {"t1", "t2"}, {"t2"})) == ()


def test_others_are_hedged_where_tests_did_not_end():
    [finding] = told(ignore(), run=RunOfTests({"t1", "t2"}, {"t1", "t2"}, {"t1", "t2"}))
    assert finding.certainty is Certainty.LIKELY
    assert finding.evidence == ("2 tests were skipped or failed and may need it",)


def test_parameter_sets_share_their_marker():
    """Each has a place object of its own, equal but for nothing that counts."""
    one = Ignore(IgnoreKind.MARKER, read_word("DBG101"), Site("a.py", 3, function="test"), "a.py::test")
    other = Ignore(IgnoreKind.MARKER, read_word("DBG101"), Site("a.py", 3, function="wrapped"), "a.py::test")
    assert len(told(one, other, tests=["t1"])) == 1
    assert told(one, other, used=[one], tests=["t1"]) == ()


@pytest.mark.parametrize("run", [FULL, PART])
@pytest.mark.parametrize(
    ("rules", "severity"),
    [({}, Severity.WARNING), ({"tables": {"DBG911": {"severity": "note"}}}, Severity.NOTE)],
)
def test_mistakes_weigh_in_every_run(run, rules, severity):
    wrong = WrongIgnore("DBG999", Site("a.py", 3), "unknown rule 'DBG999'", "did you mean 'DBG901'?")
    [finding] = told(run=run, wrong={wrong}, rules=active_rules(**rules))
    assert (finding.severity, finding.subject, finding.fix.title) == (severity, "DBG999", wrong.hint)


def test_a_subject_that_one_process_knows_is_right():
    word = ignore("DBG101:Order.custmer")
    unknown = {"unknown_subjects": {"Order.custmer": "Order.customer"}}
    [finding] = told(word, **unknown)
    assert finding.message == "no model has `Order.custmer`: `ignore[DBG101:Order.custmer]` silences nothing"
    assert finding.fix.title == "did you mean `Order.customer`?"
    [finding] = told(word, **unknown, known_subjects={"Order.custmer"})
    assert finding.severity is Severity.NOTE
    assert told(word, run=PART, **unknown) == ()
