"""Collects findings of many tests and makes one of each fact; the result does not depend on order or process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from pytest_dbguard.core.findings import Certainty, Finding, Severity

_HIDDEN = frozenset({"DBG106", "DBG108"})
"""Rules about n-plus-ones that test data hides."""


@dataclass(slots=True)
class _Fact:
    """One fact: the finding of the test that shows it best, and all tests that show it."""

    best: Finding
    tests: set[str]
    is_certain: bool
    severity: Severity


class FindingPool:
    """Takes findings in any order and gives each fact once, with all tests that show it.

    The test that shows most statements speaks for all, the first by name among equals.
    """

    def __init__(self) -> None:
        self._facts: dict[Any, _Fact] = {}

    def add(self, findings: Iterable[Finding]) -> None:
        """Take in findings of one test."""
        for finding in findings:
            fact = self._facts.get(_key(finding))
            is_certain = finding.certainty is Certainty.CERTAIN
            if fact is None:
                self._facts[_key(finding)] = _Fact(finding, set(finding.tests), is_certain, finding.severity)
                continue
            fact.best = _better(fact.best, finding)
            fact.tests |= set(finding.tests)
            fact.is_certain |= is_certain
            if finding.severity.reaches(fact.severity):
                fact.severity = finding.severity

    def findings(self) -> tuple[Finding, ...]:
        """Return each fact once, in reading order; of what one test hides nothing where another one shows it."""
        spoken = [_speak(fact) for fact in self._facts.values()]
        shown = {_load(finding) for finding in spoken if finding.rule == "DBG101"}
        told = (finding for finding in spoken if finding.rule not in _HIDDEN or _load(finding) not in shown)
        return tuple(sorted(told, key=reading_order))


def reading_order(finding: Finding) -> tuple[Any, ...]:
    """Return the sort key of findings: worst first, then by place, rule and subject."""
    place, second = finding.place, finding.origin or finding.loop
    return (
        list(Severity).index(finding.severity),
        (place.file, place.line, place.column or 0) if place else ("", 0, 0),
        finding.rule,
        finding.subject,
        (second.file, second.line) if second else ("", 0),
        finding.in_test_code,
        finding.site is None,
    )


def fact_id(finding: Finding) -> str:
    """Return what two findings have in common when they are one fact, as a short text that can travel."""
    return blake2b(repr(_key(finding)).encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


def _key(finding: Finding) -> tuple[Any, ...]:
    """What makes two findings one fact: rule, subject, and the lines that one would change."""
    places = (finding.site, finding.origin or finding.loop)
    lines = tuple((place.file, place.line) if place else None for place in places)
    return (finding.rule, finding.subject, finding.in_test_code, lines)


def _load(finding: Finding) -> tuple[Any, ...]:
    """What a finding about a lazy load is about: the relationship and the line that reads it."""
    site = finding.site
    return (finding.subject, site and site.file, site and site.line)


def _better(one: Finding, other: Finding) -> Finding:
    first, second = _preference(one), _preference(other)
    if first == second:
        # one line may show it twice, at two columns: any order that is always the same will do
        return min(one, other, key=repr)
    return one if first < second else other


def _preference(finding: Finding) -> tuple[Any, ...]:
    return (-finding.count, finding.tests, finding.scope, finding.message)


def _speak(fact: _Fact) -> Finding:
    return replace(
        fact.best,
        tests=tuple(sorted(fact.tests)),
        certainty=Certainty.CERTAIN if fact.is_certain else Certainty.LIKELY,
        severity=fact.severity,
    )
