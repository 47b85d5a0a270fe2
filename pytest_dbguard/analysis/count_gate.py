"""Compares what the tests of a run counted with what the baseline says: regressions, improvements, the update."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from pytest_dbguard.analysis.counts import ScopeCounts, ShapeCount
from pytest_dbguard.analysis.judge import ActiveRule
from pytest_dbguard.baseline.counts import CountEntry, Counts, TestKey
from pytest_dbguard.core.findings import Finding, Shape
from pytest_dbguard.rules.query_count_regression import QueryCountRegression, Regression, ShapeChange

_TOLD = 3
"""How many further tests are told with their numbers."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """What is kept of one test: places only where it runs more than it may, counts only where they are written."""

    key: TestKey
    regressions: tuple[Finding, ...]
    saved: int
    entries: tuple[CountEntry, ...]


class CountGate:
    """Takes the counts of tests one by one, in any order; a test that runs again replaces what it showed before."""

    def __init__(self, accepted: Counts, rule: ActiveRule | None, *, keeps: bool) -> None:
        """Make the gate.

        Args:
            accepted: What the baseline says.
            rule: The rule query-count-regression; None when it is left out.
            keeps: Whether the counts are to be written into the baseline.
        """
        self._accepted = accepted
        self._rule = rule
        self._keeps = keeps
        self._taken: dict[str, _Taken] = {}
        self._texts: dict[str, str] = {}

    def take(self, test: str, counts: ScopeCounts, tolerance: int | None) -> None:
        """Take in what a test ran; `tolerance` is its marker's."""
        key = TestKey.of(test)
        entries: tuple[CountEntry, ...] = ()
        if self._keeps:
            entries = tuple(_entry(key, scope, shapes) for scope, shapes in counts.items())
            self._texts |= {shape: s.text for shapes in counts.values() for shape, s in shapes.items() if s.text}
        regressions = tuple(self._regressions(test, key, counts, tolerance))
        self._taken[test] = _Taken(key, regressions, self._saved(key, counts), entries)

    def regressions(self, finished: Collection[str]) -> tuple[Finding, ...]:
        """Return what runs more than it may in these tests; what grew at one line is one finding of all its tests."""
        by_line: dict[tuple[str, int] | str, list[Finding]] = {}
        for finding in (finding for taken in self._of(finished) for finding in taken.regressions):
            site = finding.site
            key = (site.file, site.line) if site is not None else f"{finding.tests} {finding.scope}"
            by_line.setdefault(key, []).append(finding)
        return tuple(_merged(findings) for findings in by_line.values())

    def improvement(self, finished: Collection[str]) -> tuple[int, int]:
        """Return how many of these tests run fewer statements than the baseline says, and how many fewer in all."""
        saved = [taken.saved for taken in self._of(finished) if taken.saved]
        return len(saved), sum(saved)

    def updated(self, finished: Collection[str]) -> Counts:
        """Return counts that accept what these tests ran."""
        taken = list(self._of(finished))
        entries = (entry for each in taken for entry in each.entries)
        return self._accepted.updated(entries, {each.key for each in taken}, self._texts)

    def _of(self, finished: Collection[str]) -> Iterator[_Taken]:
        return (taken for test, taken in self._taken.items() if test in finished)

    def _regressions(self, test: str, key: TestKey, counts: ScopeCounts, tolerance: int | None) -> Iterator[Finding]:
        rule = self._rule.rule if self._rule is not None else None
        if self._rule is None or not isinstance(rule, QueryCountRegression):
            return
        allowed = rule.tolerance(test) if tolerance is None else tolerance
        for scope, accepted in self._accepted.of(key).items():
            shapes = counts.get(scope, {})
            now = _total(shapes)
            if now > accepted.total + allowed:
                changes = tuple(_changes(accepted, shapes, dict(self._accepted.texts)))
                finding = rule.finding(Regression(test, scope, accepted.total, now, changes))
                yield replace(finding, severity=self._rule.severity)

    def _saved(self, key: TestKey, counts: ScopeCounts) -> int:
        """Return how many statements a test runs less. A request that is not sent any more saves nothing."""
        return sum(
            max(accepted.total - _total(counts.get(scope, {})), 0)
            for scope, accepted in self._accepted.of(key).items()
            if scope in counts or scope == "call"
        )


def _merged(findings: list[Finding]) -> Finding:
    """Return one finding for the tests that a line makes run more; the test that grows most speaks for all."""
    first, *others = sorted(findings, key=lambda finding: (-finding.count, finding.tests, finding.scope))
    tests = tuple(sorted({test for finding in findings for test in finding.tests}))
    if len(tests) == 1:
        return first if not others else replace(first, evidence=(*first.evidence, *(each.message for each in others)))
    told = [finding.message for finding in others[:_TOLD]]
    more = [f"and {len(others) - _TOLD} more"] if len(others) > _TOLD else []
    message = f"{first.message} and in {len(others)} more"
    return replace(first, message=message, tests=tests, evidence=(*first.evidence, *told, *more))


def _entry(key: TestKey, scope: str, shapes: Mapping[str, ShapeCount]) -> CountEntry:
    return CountEntry.of(key, scope, {shape: found.count for shape, found in shapes.items()})


def _total(shapes: Mapping[str, ShapeCount]) -> int:
    return sum(found.count for found in shapes.values())


def _changes(accepted: CountEntry, now: Mapping[str, ShapeCount], texts: Mapping[str, str]) -> list[ShapeChange]:
    """Return the shapes whose numbers differ, most growth first."""
    before = dict(accepted.statements)
    changes = []
    for shape in before.keys() | now.keys():
        found = now.get(shape, ShapeCount(0, ""))
        more = found.count - before.get(shape, 0)
        if more:
            text = found.text or texts.get(shape, f"shape {shape}")
            changes.append(ShapeChange(Shape(shape, text), more, tuple(place for _, place in found.places)))
    return sorted(changes, key=lambda change: (-change.more, change.shape.id))
