"""`dbguard rules`: the list of rules."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer


class RulesFormat(StrEnum):
    """How the list is printed."""

    TEXT = "text"
    JSON = "json"


def rules(
    output_format: Annotated[RulesFormat, typer.Option(help="text for people, json for programs")] = RulesFormat.TEXT,
) -> None:
    """List the rules: code, name, severity, stage, and what each finds."""
    from pytest_dbguard.rules.documentation import summary
    from pytest_dbguard.rules.registry import load_rules

    rows = [(rule.code, rule.name, str(rule.severity), str(rule.stage), summary(rule)) for rule in load_rules()]
    rows.sort()
    if output_format is RulesFormat.JSON:
        keys = ("code", "name", "severity", "stage", "summary")
        typer.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2))
        return
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip())
    typer.echo("\ndbguard explain RULE tells what a rule does and what to do instead.")
