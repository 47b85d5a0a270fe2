"""What people are told of how statements were planned: with findings that rest on plans, else when asked with -v."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dbguard.core.verdict import Verdict
from pytest_dbguard.reports.wording import counted, number


def planning_texts(verdict: Verdict, *, is_verbose: bool) -> Iterator[str]:
    """Yield a line for each: how and where it was planned, what was not, what else there is to know.

    A clean run says nothing of it but what has to be mended: how statistics and schema differ.
    """
    planning = verdict.planning
    if planning is None:
        return
    is_shown = is_verbose or any(finding.basis for finding in verdict.new)
    if is_shown:
        yield from (f"{line[:1].upper()}{line[1:]}." for line in planning.labs)
    left_out = sum(shapes for _, shapes in planning.not_analysed)
    if left_out and (is_shown or verdict.new):
        reasons = ", ".join(f"{number(shapes)} {reason}" for reason, shapes in planning.not_analysed)
        yield f"{counted(left_out, 'shape')} not analysed: {reasons}."
    yield from planning.told
