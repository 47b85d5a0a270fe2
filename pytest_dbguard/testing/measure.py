"""Totals of what the call phases of tests ran: numbers of statements and shapes, time, the slowest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pytest_dbguard.core.findings import Shape
from pytest_dbguard.core.serial import site_from_json, site_to_json
from pytest_dbguard.core.verdict import RunTotals, SlowStatement
from pytest_dbguard.recording.model import Recording


@dataclass(slots=True)
class Measure:
    """Totals that add up over tests. Setup and teardown are left out: shared fixtures run once a process."""

    tests: int = 0
    statements: int = 0
    elapsed_ms: float = 0.0
    shapes: set[str] = field(default_factory=set)
    slowest: SlowStatement | None = None

    @classmethod
    def of(cls, recordings: Iterable[Recording]) -> Measure:
        """Return the totals of one test."""
        measure = cls(tests=1)
        for recording in recordings:
            measure.statements += recording.count
            measure.elapsed_ms += recording.elapsed_ms
            measure.shapes |= {raw[0].shape.id for raw in recording.raw} | {shape for shape, _ in recording.overflow}
            slow = max(recording.raw, key=lambda raw: raw[3], default=None)
            if slow is not None:
                measure._take_slowest(SlowStatement(slow[3], slow[0].shape, slow[1].site))
        return measure

    def add(self, other: Measure) -> None:
        """Add the totals of another test."""
        self.tests += other.tests
        self.statements += other.statements
        self.elapsed_ms += other.elapsed_ms
        self.shapes |= other.shapes
        if other.slowest is not None:
            self._take_slowest(other.slowest)

    def totals(self) -> RunTotals:
        """Return the totals for the verdict."""
        return RunTotals(self.tests, self.statements, len(self.shapes), self.elapsed_ms, self.slowest)

    def to_json(self) -> dict[str, Any]:
        """Return the totals as JSON values, to travel from a worker."""
        slow = self.slowest
        return {
            "tests": self.tests,
            "statements": self.statements,
            "elapsed_ms": self.elapsed_ms,
            "shapes": sorted(self.shapes),
            "slowest": slow and [slow.elapsed_ms, slow.shape.id, slow.shape.text, site_to_json(slow.site)],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Measure:
        """Return the totals that `to_json` described."""
        slow = value["slowest"]
        return cls(
            value["tests"],
            value["statements"],
            value["elapsed_ms"],
            set(value["shapes"]),
            slow and SlowStatement(slow[0], Shape(slow[1], slow[2]), site_from_json(slow[3])),
        )

    def _take_slowest(self, other: SlowStatement) -> None:
        if self.slowest is None or other.elapsed_ms > self.slowest.elapsed_ms:
            self.slowest = other
