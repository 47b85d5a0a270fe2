"""Findings as plain JSON values and back: for reports, and for what xdist workers send."""

from __future__ import annotations

from typing import Any

from pytest_dbguard.core.findings import (
    Certainty,
    Finding,
    Fix,
    PlanLine,
    PlanMark,
    Remedy,
    Severity,
    Shape,
    Site,
    Status,
)


def site_to_json(site: Site | None) -> dict[str, Any] | None:
    """Return a place as JSON values."""
    if site is None:
        return None
    return {
        "file": site.file,
        "line": site.line,
        "column": site.column,
        "function": site.function,
        "end_line": site.end_line,
        "end_column": site.end_column,
        "in_test_code": site.in_test_code,
    }


def site_from_json(value: dict[str, Any] | None) -> Site | None:
    """Return the place that `site_to_json` described."""
    return None if value is None else Site(**value)


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values, keys as documented for the JSON report."""
    fix, shape = finding.fix, finding.shape
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": str(finding.severity),
        "subject": finding.subject,
        "message": finding.message,
        "site": site_to_json(finding.site),
        "origin": site_to_json(finding.origin),
        "loop": site_to_json(finding.loop),
        "certainty": str(finding.certainty),
        "count": finding.count,
        "tests": list(finding.tests),
        "status": str(finding.status),
        "in_test_code": finding.in_test_code,
        "fix": None if fix is None else {"title": fix.title, "code": fix.code, "place": site_to_json(fix.place)},
        "proof": finding.proof,
        "shape": None if shape is None else shape.text,
        "shape_id": None if shape is None else shape.id,
        "evidence": list(finding.evidence),
        "scope": finding.scope,
        "basis": finding.basis,
        "plan": [{"depth": line.depth, "text": line.text, "mark": str(line.mark)} for line in finding.plan],
        "remedies": [{"kind": remedy.kind, "code": remedy.code} for remedy in finding.remedies],
    }


def finding_from_json(value: dict[str, Any]) -> Finding:
    """Return the finding that `finding_to_json` described."""
    fix, shape = value["fix"], value["shape"]
    return Finding(
        rule=value["rule"],
        name=value["name"],
        severity=Severity(value["severity"]),
        subject=value["subject"],
        message=value["message"],
        site=site_from_json(value["site"]),
        origin=site_from_json(value["origin"]),
        loop=site_from_json(value["loop"]),
        certainty=Certainty(value["certainty"]),
        count=value["count"],
        tests=tuple(value["tests"]),
        status=Status(value["status"]),
        in_test_code=value["in_test_code"],
        fix=None if fix is None else Fix(fix["title"], fix["code"], site_from_json(fix["place"])),
        proof=value["proof"],
        shape=None if shape is None else Shape(value["shape_id"], shape),
        evidence=tuple(value["evidence"]),
        scope=value["scope"],
        basis=value["basis"],
        plan=tuple(PlanLine(line["depth"], line["text"], PlanMark(line["mark"])) for line in value["plan"]),
        remedies=tuple(Remedy(remedy["kind"], remedy["code"]) for remedy in value["remedies"]),
    )
