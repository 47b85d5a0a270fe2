"""The concise report: one line a finding, in the form that editors and terminals turn into links."""

from __future__ import annotations

from pytest_dbguard.core.findings import Finding
from pytest_dbguard.core.verdict import Verdict
from pytest_dbguard.reports.base import ReportContext
from pytest_dbguard.reports.style import Style
from pytest_dbguard.reports.summary import concise_line, fault_line


class ConciseReporter:
    """`shop/views.py:58:37: DBG101 n-plus-one: message`; what is known only with -v."""

    name = "concise"
    title = "concise"
    default_destination: str | None = None

    def render(self, verdict: Verdict, context: ReportContext) -> str:
        """Return a line for each finding, and one for faults; "" when there is neither."""
        lines = concise_lines(verdict, context)
        return "\n".join([*lines, ""]) if lines else ""


def concise_lines(verdict: Verdict, context: ReportContext) -> list[str]:
    """Return the lines, without line ends. They are never wrapped: programs read them."""
    style = Style(context.color)
    shown = verdict.findings if context.verbosity > 0 else verdict.new
    lines = [_painted(finding, style) for finding in shown]
    fault = fault_line(verdict)
    return [*lines, style.paint(fault, "red")] if fault else lines


def _painted(finding: Finding, style: Style) -> str:
    place, _, rest = concise_line(finding).partition(f" {finding.rule} ")
    return f"{style.paint(place, 'bold')} {style.severity(finding.rule, finding.severity)} {rest}"
