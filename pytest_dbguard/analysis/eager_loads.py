"""Eager loads in a whole run: what one test does not read another one may."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from pytest_dbguard.analysis.judge import ActiveRule
from pytest_dbguard.core.findings import Finding, Site
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.eager_use import eager_uses
from pytest_dbguard.rules.unused_eager_load import MAPPED_FIX, UnusedEagerLoad

_NOWHERE = Site("", 0)
_TOLD = 3

UseKey = tuple[str, str, int]
"""A relationship, and file and line of the query that loads it along."""


def read_loads(recordings: Iterable[Recording]) -> set[UseKey]:
    """Return what queries loaded along and somebody read."""
    read: set[UseKey] = set()
    for recording in recordings:
        for use in eager_uses(recording):
            if use.is_read and use.site is not None:
                read.add((use.subject, use.site.file, use.site.line))
                if use.load.is_mapped:
                    # the mapping is one cause for all queries: that any of them needs it is enough
                    read.add((use.subject, "", 0))
    return read


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
        elif _key(finding) in read or (_is_mapped(finding) and (finding.subject, "", 0) in read):
            weighed.append(replace(finding, message=f"{finding.message} here, though another test reads it"))
        else:
            message = f"{finding.message}, in no test of the suite"
            weighed.append(replace(finding, severity=severity, message=message))
    return _one_for_each_mapping(weighed)


def _one_for_each_mapping(findings: list[Finding]) -> list[Finding]:
    """Make one finding of what a mapping loads along with several queries: one line changes them all."""
    kept: dict[object, list[Finding]] = {}
    for finding in findings:
        is_cause = finding.rule == UnusedEagerLoad.code and _is_mapped(finding)
        key: object = (finding.subject, finding.severity, finding.in_test_code) if is_cause else id(finding)
        kept.setdefault(key, []).append(finding)
    return [_spoken_by_first(group) if len(group) > 1 else group[0] for group in kept.values()]


def _spoken_by_first(group: list[Finding]) -> Finding:
    first, *others = sorted(group, key=lambda finding: (finding.site or _NOWHERE).label)
    places = [finding.site.label for finding in others if finding.site is not None]
    more = f" and {len(places) - _TOLD} more" if len(places) > _TOLD else ""
    tests = tuple(sorted({test for finding in group for test in finding.tests}))
    also = f"so it is with the queries at {', '.join(places[:_TOLD])}{more}"
    return replace(first, tests=tests, evidence=(*first.evidence, also))


def _is_mapped(finding: Finding) -> bool:
    return finding.fix is not None and finding.fix.title == MAPPED_FIX


def _key(finding: Finding) -> UseKey | None:
    return (finding.subject, finding.site.file, finding.site.line) if finding.site is not None else None
