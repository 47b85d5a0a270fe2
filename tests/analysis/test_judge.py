"""The judge: rules with their options run most specific first, and a broken one costs nothing but itself."""

from __future__ import annotations

import pytest

from pytest_dbguard.analysis.judge import ActiveRule, Judge, active_rules
from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.core.findings import Finding, Severity, Site
from pytest_dbguard.core.ignores import Ignore, IgnoredRange, IgnoreKind, IgnoreWord
from pytest_dbguard.core.verdict import Fault
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Draft, RuleOptions, Stage
from pytest_dbguard.rules.registry import load_rules
from pytest_dbguard.sql.shape import read_statement

ERROR, WARNING, NOTE = Severity


def recording(count=5, **more):
    return Recording("tests/test_a.py::test", more.pop("scope", "call"), more.pop("raw", ()), count, 1.0, **more)


def rule(code, *, statements=frozenset({1}), raises=None, site=None, in_test_code=False):
    """Return an active rule that reports one finding, or raises."""
    seen = []

    class Reports:
        options_model, severity, stage, name = RuleOptions, ERROR, Stage.STABLE, code.lower()

        def check(self, recording, context):
            seen.append(context.claimed)
            if raises is not None:
                raise raises
            finding = Finding(code, self.name, ERROR, "subject", "message", site=site, in_test_code=in_test_code)
            yield Draft(finding, statements)

    Reports.code, Reports.seen = code, seen
    return ActiveRule(Reports(), WARNING)


def test_the_judge_adds_what_rules_do_not_know():
    [finding] = Judge((rule("DBG1"),)).judge(recording(scope="GET /orders"))
    assert finding.severity is WARNING
    assert finding.tests == ("tests/test_a.py::test",)
    assert finding.scope == "GET /orders"


def test_later_rules_know_what_earlier_ones_claimed():
    rules = (rule("DBG1", statements=frozenset({1, 2})), rule("DBG2", statements=frozenset({3})), rule("DBG3"))
    Judge(rules).judge(recording())
    assert [each.rule.seen for each in rules] == [[set()], [{1, 2}], [{1, 2, 3}]]


def test_a_rule_that_raises_is_one_fault_and_the_others_report():
    judge = Judge((rule("DBG1"), rule("DBG2", raises=ZeroDivisionError("by zero")), rule("DBG3")))
    for _ in range(3):
        assert [finding.rule for finding in judge.judge(recording())] == ["DBG1", "DBG3"]
    assert judge.faults == [Fault("rule DBG2", "ZeroDivisionError: by zero")]


def test_a_rule_that_raises_after_a_finding_reports_none():
    """Half an answer would depend on where it broke."""
    broken = rule("DBG1")

    def check(recording, context):
        yield Draft(Finding("DBG1", "x", ERROR, "subject", "message"), frozenset({1}))
        raise KeyError("x")

    broken.rule.check = check
    judge = Judge((broken, rule("DBG2")))
    assert [finding.rule for finding in judge.judge(recording())] == ["DBG2"]
    assert len(judge.faults) == 1


def test_an_exception_that_is_no_error_goes_on():
    with pytest.raises(KeyboardInterrupt):
        Judge((rule("DBG1", raises=KeyboardInterrupt()),)).judge(recording())


def test_empty_recordings_are_not_judged_unless_they_have_a_budget():
    judge = Judge((rule("DBG1"),))
    assert judge.judge(recording(count=0)) == []
    assert len(judge.judge(recording(count=0, max_queries=0))) == 1


@pytest.mark.parametrize(
    ("ignores", "ignored"),
    [
        (("DBG1", 0, 5), True),
        (("DBG1", 1, 3), True),
        (("DBG1", 2, 3), False),
        (("DBG1", 0, 2), False),
        (("DBG2", 0, 5), False),
    ],
)
def test_what_runs_where_a_rule_is_ignored(ignores, ignored):
    """All statements of a finding must lie in the range; what is ignored is still claimed."""
    rules = (rule("DBG1", statements=frozenset({1, 2})), rule("DBG3"))
    judge = Judge(rules)
    code, start, end = ignores
    ignore = Ignore(IgnoreKind.FIXTURE, IgnoreWord(code, frozenset({code})))
    raw = tuple((read_statement("SELECT 1"),) for _ in range(5))
    found = judge.judge(recording(raw=raw, ignores=(IgnoredRange((ignore,), start, end),)))
    assert [finding.rule for finding in found] == (["DBG3"] if ignored else ["DBG1", "DBG3"])
    assert len(judge.silenced) == int(ignored)
    assert judge.used == ({ignore} if ignored else set())
    assert rules[1].rule.seen == [{1, 2}]


@pytest.mark.parametrize(
    ("scope", "in_test_code", "severity"),
    [
        ("call", True, WARNING),
        ("setup", True, NOTE),
        ("teardown", True, NOTE),
        ("setup", False, WARNING),
        ("GET /", True, WARNING),
    ],
)
def test_seeding_is_the_tests_own_business(scope, in_test_code, severity):
    [finding] = Judge((rule("DBG1", in_test_code=in_test_code),)).judge(recording(scope=scope))
    assert finding.severity is severity


@pytest.mark.parametrize(
    ("function", "severity"),
    [("Tests.setUp", NOTE), ("asyncSetUp", NOTE), ("Tests.test", WARNING), ("setUps", WARNING)],
)
def test_fixtures_of_unittest(function, severity):
    site = Site("test_a.py", 3, function=function, in_test_code=True)
    [finding] = Judge((rule("DBG1", site=site, in_test_code=True),)).judge(recording())
    assert finding.severity is severity


def chosen(**settings):
    return {active.rule.code: active.severity for active in active_rules(**settings)}


def test_all_rules_by_default_in_the_order_of_the_registry():
    assert list(chosen()) == [rule.code for rule in load_rules()]


def test_select_and_ignore():
    assert list(chosen(select=["DBG101", "query-budget"])) == ["DBG101", "DBG901"]
    assert set(chosen(select=["DBG1"])) == {code for code in chosen() if code.startswith("DBG1")}
    assert "DBG101" not in chosen(ignore=["n-plus-one"])
    assert set(chosen(select=["DBG1"], ignore=["DBG101"])) == set(chosen(select=["DBG1"])) - {"DBG101"}
    assert chosen(ignore=["ALL"]) == {}
    assert list(chosen(select=["dbg101"])) == ["DBG101"]


@pytest.mark.parametrize("settings", [{"select": ["DBG777"]}, {"ignore": ["n-plus-on"]}, {"tables": {"n-plus-on": {}}}])
def test_unknown_rules(settings):
    with pytest.raises(ConfigError, match="unknown rule") as caught:
        active_rules(**settings)
    assert caught.value.hint


def test_the_nearest_rule_is_named():
    with pytest.raises(ConfigError, match=r"'n-plus-on'") as caught:
        active_rules(select=["n-plus-on"])
    assert caught.value.hint == "did you mean 'n-plus-one'?"


def test_severities():
    preview = [rule for rule in load_rules() if rule.stage is Stage.PREVIEW]
    stable = [rule for rule in load_rules() if rule.stage is Stage.STABLE]
    assert all(chosen()[rule.code] is rule.severity for rule in stable)
    assert all(chosen()[rule.code] is NOTE for rule in preview)
    assert all(chosen(preview=True)[rule.code] is rule.severity for rule in preview)
    assert all(chosen(select=[rule.name])[rule.code] is rule.severity for rule in preview)
    assert all(chosen(select=[rule.code.lower()])[rule.code] is rule.severity for rule in preview)
    assert all(chosen(select=["DBG"])[rule.code] is NOTE for rule in preview)


def test_a_severity_by_option():
    assert chosen(tables={"n-plus-one": {"severity": "note"}})["DBG101"] is NOTE
    assert chosen(tables={"DBG601": {"severity": "error"}})["DBG601"] is ERROR


@pytest.mark.parametrize(
    ("settings", "code", "field", "value"),
    [
        ({}, "DBG101", "threshold", 2),
        ({"tables": {"n-plus-one": {"threshold": 5}}}, "DBG101", "threshold", 5),
        ({"tables": {"dbg101": {"threshold": 5}}}, "DBG101", "threshold", 5),
        ({}, "DBG601", "threshold_ms", 500),
        ({"tables": {"slow-query": {"threshold-ms": 50}}}, "DBG601", "threshold_ms", 50),
        ({"slow_ms": 80}, "DBG601", "threshold_ms", 80),
        ({"slow_ms": 80, "tables": {"slow-query": {"threshold_ms": 50}}}, "DBG601", "threshold_ms", 80),
    ],
)
def test_options_reach_their_rule(monkeypatch, settings, code, field, value):
    given = {}
    for each in load_rules():
        monkeypatch.setattr(each, "__init__", lambda self, options, code=each.code: given.update({code: options}))
    active_rules(**settings)
    assert getattr(given[code], field) == value


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"treshold": 3}, ["pyproject.toml", "n-plus-one", "'treshold'", "threshold"]),
        ({"threshold": "many"}, ["pyproject.toml", "n-plus-one", "threshold", "'many'"]),
        ({"severity": "fatal"}, ["n-plus-one", "severity", "'fatal'"]),
    ],
)
def test_wrong_options(table, words):
    with pytest.raises(ConfigError) as caught:
        active_rules(tables={"n-plus-one": table}, place="pyproject.toml")
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_options_of_rules_that_do_not_run_are_checked_too():
    with pytest.raises(ConfigError):
        active_rules(select=["DBG901"], tables={"n-plus-one": {"treshold": 3}})
