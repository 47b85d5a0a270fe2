"""What a report format is: a name, where it goes by default, and one method from a verdict to text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_dbguard.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ReportContext:
    """Where and how a report is shown.

    Attributes:
        root: Directory that paths in findings are relative to; sources are read from it, destinations lie under it.
        width: Terminal cells of a line.
        color: Whether ANSI colours are wanted.
        verbosity: Below 0 brief, 0 what is new in full, above 0 what is known too.
    """

    root: Path
    width: int = 80
    color: bool = False
    verbosity: int = 0


class Reporter(Protocol):
    """One format. Adding one is one file and one line in `reports.registry`, or an entry point `dbguard.reports`."""

    name: str
    """What people write in `--dbguard-report`."""

    title: str
    """What it is called in "Wrote ... report to"."""

    default_destination: str | None
    """The file it goes to when none is given; None for the terminal."""

    def render(self, verdict: Verdict, context: ReportContext) -> str:
        """Return the whole report; the same verdict and context give the same text."""
        ...
