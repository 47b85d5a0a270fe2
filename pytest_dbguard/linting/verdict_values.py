"""The verdict on sources as plain JSON values and back, so that it can be told again; no literal is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.core.serial import finding_from_json, finding_to_json
from pytest_dbguard.core.verdict import BaselineState, Planning, RunTotals, Verdict

_TOTALS = ("files", "statements", "shapes", "migrations", "tables", "by_tests")


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict without faults as JSON values; times and what only tests have are left out."""
    totals, baseline, planning = verdict.totals, verdict.baseline, verdict.planning or Planning()
    return {
        "findings": [finding_to_json(finding) for finding in verdict.findings],
        "test_findings": [finding_to_json(finding) for finding in verdict.test_findings],
        "totals": {name: getattr(totals, name) for name in _TOTALS},
        "baseline": {"path": baseline.path, "entries": baseline.entries},
        "fail_on": None if verdict.fail_on is None else str(verdict.fail_on),
        "ignored": verdict.ignored,
        "labs": list(planning.labs),
        "not_analysed": [list(each) for each in planning.not_analysed],
        "told": list(planning.told),
    }


def verdict_from_json(value: Mapping[str, Any]) -> Verdict:
    """Return the verdict that `verdict_to_json` described."""
    not_analysed = tuple((reason, number) for reason, number in value["not_analysed"])
    return Verdict(
        findings=tuple(map(finding_from_json, value["findings"])),
        test_findings=tuple(map(finding_from_json, value["test_findings"])),
        totals=RunTotals(**value["totals"]),
        baseline=BaselineState(**value["baseline"]),
        fail_on=None if value["fail_on"] is None else Severity(value["fail_on"]),
        ignored=value["ignored"],
        planning=Planning(tuple(value["labs"]), not_analysed, tuple(value["told"])),
    )
