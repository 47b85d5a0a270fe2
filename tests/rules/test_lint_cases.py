"""Judges the statements of `cases/lint/*.toml`: each must show exactly the findings that it names."""

from __future__ import annotations

from collections import defaultdict

import pytest
from lint_cases import findings, lint_cases

CASES = list(lint_cases())


@pytest.mark.parametrize("case", [pytest.param(case, id=case.label) for case in CASES])
def test_case(case):
    found = findings(case)
    assert sorted(finding.subject for finding in found) == case.expect
    if "says" in case.given:
        assert all(case.given["says"] in finding.message for finding in found)
    if "severity" in case.given:
        assert {str(finding.severity) for finding in found} == {case.given["severity"]}


def test_each_rule_has_cases_that_fire_and_innocent_look_alikes():
    fires, innocent = defaultdict(set), defaultdict(set)
    for case in CASES:
        (fires if case.expect else innocent)[case.rule].add(case.name)
    assert {rule for rule, names in fires.items() if len(names) >= 4} == {case.rule for case in CASES}
    assert {rule for rule, names in innocent.items() if len(names) >= 6} == {case.rule for case in CASES}
