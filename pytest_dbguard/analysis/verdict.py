"""Puts the verdict on a run together: findings, what the baseline knows of them, and whether they fail the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from pytest_dbguard.baseline.model import Baseline
from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.core.verdict import BaselineState, Fault, Planning, RunTotals, Verdict

TestCode = Literal["note", "report", "off"]


def decide(
    findings: Iterable[Finding],
    *,
    baseline: Baseline | None,
    state: BaselineState,
    fail_on: Severity | None,
    test_code: TestCode,
    totals: RunTotals,
    faults: Iterable[Fault] = (),
    ignored: int = 0,
    planning: Planning | None = None,
) -> Verdict:
    """Return the verdict. Findings about test code count as notes unless `test_code` is "report"."""
    application, about_tests = [], []
    for finding in findings:
        if not finding.in_test_code or test_code == "report":
            application.append(finding)
        elif test_code == "note":
            about_tests.append(replace(finding, severity=Severity.NOTE))
    judged = tuple(application) if baseline is None else baseline.apply(tuple(application))
    return Verdict(
        findings=judged,
        test_findings=tuple(about_tests),
        totals=totals,
        baseline=state,
        fail_on=fail_on,
        ignored=ignored,
        faults=tuple(sorted(faults, key=lambda fault: (fault.where, fault.error))),
        planning=planning,
    )
