"""Renders reports and writes those that go to files: one place that opens, replaces and announces them."""

from __future__ import annotations

from dataclasses import replace

from pytest_dbguard.core.errors import ReportError
from pytest_dbguard.core.files import write_atomically
from pytest_dbguard.core.verdict import Verdict
from pytest_dbguard.reports.base import ReportContext
from pytest_dbguard.reports.registry import ReportTarget, load_reporter


def render(target: ReportTarget, verdict: Verdict, context: ReportContext) -> str:
    """Return a report as text.

    Raises:
        ConfigError: When there is no such type of report.
    """
    return load_reporter(target.type).render(verdict, context)


def write_report(target: ReportTarget, verdict: Verdict, context: ReportContext) -> str | None:
    """Write a report to its file and return the line that says so; None when it goes to the terminal.

    The destination is relative to the root directory. The file is replaced at once or not at all, parent directories
    are made, and colours are left out.

    Raises:
        ReportError: When the file cannot be written; names it, the reason and the next step.
    """
    if target.destination is None:
        return None
    reporter = load_reporter(target.type)
    text = reporter.render(verdict, replace(context, color=False))
    try:
        write_atomically(context.root / target.destination, text)
    except OSError as error:
        raise ReportError(
            f"cannot write the {reporter.title} report to {target.destination!r}: {error.strerror or error}",
            hint=f"choose another place: {target.type}:DEST",
        ) from error
    return f"Wrote {reporter.title} report to {target.destination}"
