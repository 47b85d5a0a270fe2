"""The JSON report: the whole verdict for programs, with a version and a schema.

`findings` says the same whether one process or xdist's workers ran the tests: what depends on the clock stands in
`timing`. Findings about test code come last in it, as notes, unless `--dbguard-test-code` says otherwise. Within a
format keys may be added; they never change their meaning or go away.

Format history:
    1: the first one; `basis`, `plan` and `remedies` of findings, and `planning`, were added,
        and of totals `files`, the number of sources where no tests ran, `migrations`, `tables` and `by_tests`.
"""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Any, Final

from pytest_dbguard.core.serial import finding_to_json, site_to_json
from pytest_dbguard.core.verdict import Fault, Planning, RunTotals, Verdict
from pytest_dbguard.reports.base import ReportContext

FORMAT: Final = 1


class JsonReporter:
    """Everything, whatever the verbosity; described by `report.schema.json` beside this file."""

    name = "json"
    title = "JSON"
    default_destination: str | None = ".dbguard/report.json"

    def render(self, verdict: Verdict, context: ReportContext) -> str:
        """Return the document, indented, with keys in a fixed order."""
        return json.dumps(to_json(verdict), indent=2, ensure_ascii=False) + "\n"


def to_json(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON values."""
    baseline, totals = verdict.baseline, verdict.totals
    return {
        "format": FORMAT,
        "tool": {"name": "pytest-dbguard", "version": _version()},
        "passed": verdict.passed,
        "fail_on": "never" if verdict.fail_on is None else str(verdict.fail_on),
        "totals": {
            "tests": totals.tests,
            "files": totals.files,
            "statements": totals.statements,
            "shapes": totals.shapes,
            "migrations": totals.migrations,
            "tables": totals.tables,
            "by_tests": totals.by_tests,
            "findings": len(verdict.findings),
            "about_tests": len(verdict.test_findings),
            "new": len(verdict.new),
            "known": len(verdict.known),
            "failing": len(verdict.failing),
            "ignored": verdict.ignored,
        },
        "baseline": {
            "path": baseline.path,
            "entries": baseline.entries,
            "stale": baseline.stale,
            "updated": baseline.updated,
            "counted": baseline.counted,
            "improved": baseline.improved,
            "saved": baseline.saved,
        },
        "findings": [finding_to_json(finding) for finding in (*verdict.findings, *verdict.test_findings)],
        "faults": [_fault(fault) for fault in verdict.faults],
        "planning": _planning(verdict.planning),
        "timing": _timing(totals, verdict),
    }


def report_schema() -> dict[str, Any]:
    """Return the JSON schema of the report."""
    text = files("pytest_dbguard.reports").joinpath("report.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _fault(fault: Fault) -> dict[str, str]:
    # the first line only: below it, drivers and SQLAlchemy quote statements and values
    return {"where": fault.where, "error": fault.error.strip().partition("\n")[0]}


def _planning(planning: Planning | None) -> dict[str, Any] | None:
    if planning is None:
        return None
    not_analysed = dict(planning.not_analysed)
    return {"labs": list(planning.labs), "not_analysed": not_analysed, "told": list(planning.told)}


def _timing(totals: RunTotals, verdict: Verdict) -> dict[str, Any]:
    slowest, planning = totals.slowest, verdict.planning
    return {
        "elapsed_ms": round(totals.elapsed_ms, 3),
        "slow_ms": verdict.slow_ms,
        "planning_ms": None if planning is None else round(planning.elapsed_ms, 3),
        "slowest": slowest
        and {
            "elapsed_ms": round(slowest.elapsed_ms, 3),
            "shape": slowest.shape.text,
            "shape_id": slowest.shape.id,
            "site": site_to_json(slowest.site),
        },
    }


def _version() -> str:
    try:
        return version("pytest-dbguard")
    except PackageNotFoundError:
        return "unknown"
