"""What is known of one source after it was judged, and the same as JSON: no text of any statement is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pytest_dbguard.core.findings import Finding
from pytest_dbguard.core.serial import finding_from_json, finding_to_json


@dataclass(frozen=True, slots=True)
class FileResult:
    """One source.

    Attributes:
        findings: What it shows, without what comments in it silence.
        shapes: Ids of the shapes in it.
        statements: Number of statements in it.
        migrations: 1 for a file that changes the schema, else 0.
        ignored: Number of findings that comments silence.
        problems: Lines about what could not be read.
        not_analysed: Numbers of statements by the reason why nothing is said of them.
    """

    findings: tuple[Finding, ...] = ()
    shapes: tuple[str, ...] = ()
    statements: int = 0
    ignored: int = 0
    problems: tuple[str, ...] = ()
    not_analysed: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    migrations: int = 0


def result_to_json(result: FileResult) -> dict[str, Any]:
    """Return a result as JSON values; what is empty is left out, as it is for most files of a project."""
    values: dict[str, Any] = {
        "findings": [finding_to_json(finding) for finding in result.findings],
        "shapes": list(result.shapes),
        "statements": result.statements,
        "migrations": result.migrations,
        "ignored": result.ignored,
        "problems": list(result.problems),
        "not_analysed": dict(result.not_analysed),
    }
    return {key: value for key, value in values.items() if value}


def result_from_json(values: Mapping[str, Any]) -> FileResult:
    """Return the result that `result_to_json` described."""
    return FileResult(
        tuple(map(finding_from_json, values.get("findings", ()))),
        tuple(values.get("shapes", ())),
        values.get("statements", 0),
        values.get("ignored", 0),
        tuple(values.get("problems", ())),
        MappingProxyType(dict(values.get("not_analysed", {}))),
        values.get("migrations", 0),
    )
