"""Makes findings of what the baseline holds without need, each at its line in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

from pytest_dbguard.analysis.judge import ActiveRule
from pytest_dbguard.baseline.counts import TestKey
from pytest_dbguard.baseline.model import Entry, Identity
from pytest_dbguard.core.findings import Finding, Site
from pytest_dbguard.rules.stale_baseline_entry import StaleBaselineEntry


def stale_findings(
    active: ActiveRule | None,
    entries: Collection[Entry],
    gone: Collection[TestKey],
    suite: Collection[TestKey],
    *,
    file: str,
    lines: Mapping[Identity | TestKey, int],
) -> tuple[Finding, ...]:
    """Return a finding for each accepted finding that no longer occurs, and for each test whose counts are gone.

    Args:
        active: The rule stale-baseline-entry; None when it is left out.
        entries: Accepted findings that no longer occur.
        gone: Tests with counts that are not in the suite any more.
        suite: All tests there are.
        file: The baseline as shown to people.
        lines: Where entries stand in it.
    """
    if active is None or not isinstance(active.rule, StaleBaselineEntry):
        return ()
    rule = active.rule
    found = [rule.accepted_finding(entry, Site(file, lines.get(entry.identity, 1))) for entry in entries]
    names = {key.test for key in suite}
    sets = Counter(key.test for key in gone)
    first = {test: min(lines.get(key, 1) for key in gone if key.test == test) for test in sets}
    for test, number in sorted(sets.items()):
        found.append(rule.counts_of(test, Site(file, first[test]), sets=number if test in names else 0))
    return tuple(replace(finding, severity=active.severity) for finding in found)
