"""`dbguard rules`: the list of rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pytest_dbguard.cli.output import OutputFormat, standard_output

if TYPE_CHECKING:
    from pytest_dbguard.rules.base import Rule

FORMAT = 1
"""Version of the JSON. 1: "rules", each with code, name, severity, stage, summary and options."""


def rules(
    output_format: Annotated[
        OutputFormat, typer.Option(help="Text for people, JSON for programs.")
    ] = OutputFormat.TEXT,
) -> None:
    """List the rules: code, name, severity, and what each finds."""
    from pytest_dbguard.rules.registry import load_rules

    found = sorted(load_rules(), key=lambda rule: rule.code)
    if output_format is OutputFormat.JSON:
        print(json.dumps({"format": FORMAT, "rules": [_entry(rule) for rule in found]}, indent=2))
        return
    output = standard_output()
    output.table(map(_row, found), header=("CODE", "NAME", "SEVERITY", "WHAT IT DOES"))
    output.line()
    output.paragraph("dbguard explain RULE tells more. Preview rules report notes unless they are selected by name.")


def _row(rule: type[Rule]) -> tuple[str, ...]:
    from pytest_dbguard.rules.documentation import summary

    stage = "" if rule.stage == "stable" else f"({rule.stage}) "
    return rule.code, rule.name, str(rule.severity), stage + summary(rule).rstrip(".:")


def _entry(rule: type[Rule]) -> dict[str, Any]:
    from pytest_dbguard.config.table import key_name
    from pytest_dbguard.rules.documentation import summary

    return {
        "code": rule.code,
        "name": rule.name,
        "severity": str(rule.severity),
        "stage": str(rule.stage),
        "summary": summary(rule),
        "options": {key_name(name): value for name, value in rule.options_model().model_dump(mode="json").items()},
    }
