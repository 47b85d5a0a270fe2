"""Eager loads in a whole run: what one test does not read another one may."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from pytest_dbguard.analysis.judge import ActiveRule
from pytest_dbguard.core.findings import Finding
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.eager_use import eager_uses
from pytest_dbguard.rules.unused_eager_load import UnusedEagerLoad

UseKey = tuple[str, str, int]
"""A relationship, and file and line of the query that loads it along."""


def read_loads(recordings: Iterable[Recording]) -> set[UseKey]:
    """Return what queries loaded along and somebody read."""
    return {
        (use.subject, use.site.file, use.site.line)
        for recording in recordings
        for use in eager_uses(recording)
        if use.is_read and use.site is not None
    }


def weigh_unused(
    findings: Iterable[Finding], read: Collection[UseKey], rules: Iterable[ActiveRule], *, is_whole_suite: bool
) -> list[Finding]:
    """Return the findings; of eager loads that no test of the whole suite read, with the weight of the rule.

    Where some tests did not run or failed they stay the notes that they are: another test may read what these do not.
    """
    severity = next((each.severity for each in rules if isinstance(each.rule, UnusedEagerLoad)), None)
    if severity is None or not is_whole_suite:
        return list(findings)
    weighed = []
    for finding in findings:
        if finding.rule != UnusedEagerLoad.code:
            weighed.append(finding)
        elif _key(finding) in read:
            weighed.append(replace(finding, message=f"{finding.message} here, though another test reads it"))
        else:
            message = f"{finding.message}, in no test of the suite"
            weighed.append(replace(finding, severity=severity, message=message))
    return weighed


def _key(finding: Finding) -> UseKey | None:
    return (finding.subject, finding.site.file, finding.site.line) if finding.site is not None else None
