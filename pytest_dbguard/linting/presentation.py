"""Prints what lint found, writes the reports that were asked for, and tells the exit status."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_dbguard.core.verdict import Verdict

OK, FOUND, BROKEN = 0, 1, 2
MAX_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class Presentation:
    """What is shown, and how.

    Attributes:
        reports: Each `TYPE[:DEST]`.
        verbosity: Below 0 brief, above 0 everything.
        exit_zero: Whether findings leave the exit status at 0.
    """

    reports: tuple[str, ...] = ("term",)
    verbosity: int = 0
    exit_zero: bool = False


def present(
    verdict: Verdict,
    problems: Sequence[str],
    how: Presentation,
    root: Path,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Print and write the reports, and return the exit status: 0 clean, 1 findings that fail, 2 a fault of our own.

    Raises:
        ConfigError: For a report that there is not.
        ReportError: For a file that cannot be written.
    """
    from pytest_dbguard.reports.base import ReportContext
    from pytest_dbguard.reports.registry import parse_report
    from pytest_dbguard.reports.write import render, write_report

    is_colored = sys.stdout.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    context = ReportContext(root, shutil.get_terminal_size((80, 24)).columns, is_colored, how.verbosity)
    for target in map(parse_report, how.reports):
        written = write_report(target, verdict, context)
        if written is None:
            print(render(target, verdict, context), end="")
        else:
            print(written, file=sys.stderr)
    _tell(problems, is_verbose=how.verbosity > 0)
    if verdict.faults:
        return BROKEN
    return OK if how.exit_zero or not verdict.failing else FOUND


def _tell(problems: Sequence[str], *, is_verbose: bool) -> None:
    shown = problems if is_verbose else problems[:MAX_PROBLEMS]
    for line in shown:
        print(f"dbguard: {line}", file=sys.stderr)
    if len(problems) > len(shown):
        print(f"dbguard: ... and {len(problems) - len(shown)} more (-v shows all)", file=sys.stderr)


def presentation_to_json(how: Presentation) -> dict[str, Any]:
    """Return how it is shown as JSON values."""
    return {"reports": list(how.reports), "verbosity": how.verbosity, "exit_zero": how.exit_zero}


def presentation_from_json(value: Mapping[str, Any]) -> Presentation:
    """Return what `presentation_to_json` described."""
    return Presentation(tuple(value["reports"]), value["verbosity"], value["exit_zero"])
