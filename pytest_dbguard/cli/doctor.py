"""`dbguard doctor`: what works here, and what to do about the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib import import_module
from typing import Annotated

import typer

from pytest_dbguard.cli.checks.base import Check, State, Subject
from pytest_dbguard.cli.output import Output, OutputFormat, standard_output
from pytest_dbguard.cli.project import DirectoryOption, FileOption, project_root

CHECKS: tuple[str, ...] = (
    "pytest_dbguard.cli.checks.versions:check_versions",
    "pytest_dbguard.cli.checks.plugin:check_plugin",
    "pytest_dbguard.cli.checks.settings:check_settings",
    "pytest_dbguard.cli.checks.baseline:check_baseline",
    "pytest_dbguard.cli.checks.plans:check_plans",
    "pytest_dbguard.cli.checks.runtime:check_runtime",
    "pytest_dbguard.cli.checks.databases:check_databases",
)
"""Each is called with a `Subject` and yields its `Check`s."""

FORMAT = 1
"""Version of the JSON. 1: "checks", each with state, what and next_step."""

_COLORS = {State.OK: "green", State.NOTE: "cyan", State.PROBLEM: "red"}


def doctor(
    start: Annotated[bool, typer.Option("--start", help="Really start each database, and stop it again.")] = False,
    output_format: Annotated[
        OutputFormat, typer.Option(help="Text for people, JSON for programs.")
    ] = OutputFormat.TEXT,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> int:
    """Check what works here, and tell what to do about the rest.

    Looks at versions, the plugin, the configuration, the baseline, the sizes that statements are planned at,
    databases, and the settings of the runtime, whose servers it asks how many connections they take. Exit status 1
    tells of problems.
    """
    subject = Subject(project_root(directory), file=file and file.resolve(), start=start)
    checks = list(run_checks(subject))
    if output_format is OutputFormat.JSON:
        print(json.dumps({"format": FORMAT, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        _print_text(checks, standard_output())
    return 1 if any(check.state is State.PROBLEM for check in checks) else 0


def run_checks(subject: Subject, specs: Iterable[str] = CHECKS) -> Iterator[Check]:
    """Yield all checks; one that fails itself becomes a problem and does not stop the others."""
    for spec in specs:
        module, _, attribute = spec.partition(":")
        try:
            yield from getattr(import_module(module), attribute)(subject)
        except Exception as error:  # noqa: BLE001  a doctor that faints helps nobody
            what = f"{attribute.replace('_', ' ')}: {type(error).__name__}: {error}"
            yield Check(State.PROBLEM, what, "this is a fault of dbguard's own: please report it")


def _print_text(checks: list[Check], output: Output) -> None:
    width = max(map(len, State)) + 2
    for check in checks:
        state = output.style.paint(f"{check.state:<{width}}", _COLORS[check.state])
        first, *more = check.what.splitlines()
        output.paragraph(first, indent=" " * width, first=state)
        for line in more:
            output.paragraph(line, indent=" " * width)
        if check.next_step:
            output.paragraph(check.next_step, indent=" " * (width + 3), first=f"{'':{width}}-> ")
    output.line()
    problems = sum(check.state is State.PROBLEM for check in checks)
    output.line(f"{problems or 'no'} problem{'' if problems == 1 else 's'}")
