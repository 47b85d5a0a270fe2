"""The verdict: what fails a run, and what findings about test code count for."""

from __future__ import annotations

import pytest

from pytest_dbguard.analysis.verdict import decide
from pytest_dbguard.baseline.model import Baseline
from pytest_dbguard.core.findings import Finding, Severity, Site, Status
from pytest_dbguard.core.verdict import BaselineState, Fault, RunTotals

ERROR, WARNING, NOTE = Severity
IN_APPLICATION = Finding("DBG101", "n-plus-one", ERROR, "Order.items", "message", Site("shop.py", 3), tests=("t",))
IN_TEST = Finding("DBG103", "statement-in-loop", ERROR, "orders", "message", Site("test_a.py", 3), in_test_code=True)


def verdict(*findings, fail_on=WARNING, test_code="note", baseline=None, **more):
    return decide(
        findings,
        baseline=baseline,
        state=BaselineState(),
        fail_on=fail_on,
        test_code=test_code,
        totals=RunTotals(),
        **more,
    )


def of(severity):
    return Finding("DBG101", "n-plus-one", severity, severity, "message", Site("shop.py", 3))


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [(ERROR, [ERROR]), (WARNING, [ERROR, WARNING]), (NOTE, [ERROR, WARNING, NOTE]), (None, [])],
)
def test_levels_that_fail(fail_on, failing):
    found = verdict(*map(of, Severity), fail_on=fail_on)
    assert [finding.severity for finding in found.failing] == failing
    assert found.passed == (not failing)
    assert len(found.new) == 3


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("fail_on", [*Severity, None])
def test_one_finding_at_each_level(severity, fail_on):
    fails = fail_on is not None and list(Severity).index(severity) <= list(Severity).index(fail_on)
    assert verdict(of(severity), fail_on=fail_on).passed is not fails


def test_test_code_as_notes():
    found = verdict(IN_APPLICATION, IN_TEST, test_code="note", fail_on=NOTE)
    assert found.findings == found.failing == (IN_APPLICATION,)
    assert [(each.rule, each.severity) for each in found.test_findings] == [("DBG103", NOTE)]
    assert verdict(IN_TEST, test_code="note", fail_on=NOTE).passed


def test_test_code_reported():
    found = verdict(IN_APPLICATION, IN_TEST, test_code="report")
    assert found.findings == found.failing == (IN_APPLICATION, IN_TEST)
    assert found.test_findings == ()


def test_test_code_off():
    found = verdict(IN_APPLICATION, IN_TEST, test_code="off")
    assert found.findings == (IN_APPLICATION,)
    assert found.test_findings == ()
    assert verdict(IN_TEST, test_code="off").passed


def test_what_the_baseline_knows_does_not_fail():
    baseline = Baseline().updated([IN_APPLICATION], {"t"})
    found = verdict(IN_APPLICATION, of(WARNING), baseline=baseline)
    assert [finding.status for finding in found.findings] == [Status.KNOWN, Status.NEW]
    assert found.known == found.findings[:1]
    assert found.failing == found.findings[1:]
    assert verdict(IN_APPLICATION, baseline=baseline).passed


def test_an_empty_baseline_knows_nothing():
    assert not verdict(IN_APPLICATION, baseline=Baseline()).passed


def test_faults_fail_and_are_sorted():
    faults = [Fault("rule DBG103", "B"), Fault("rule DBG101", "Z"), Fault("rule DBG103", "A")]
    found = verdict(faults=faults)
    assert found.faults == (faults[1], faults[2], faults[0])
    assert found.findings == ()
    assert not found.passed
    assert not verdict(faults=faults, fail_on=None).passed


def test_nothing_found_passes():
    found = verdict(ignored=3)
    assert found.passed
    assert found.ignored == 3
