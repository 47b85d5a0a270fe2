"""What has been counted of statements, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_dbguard.runtime.plain import plain
from pytest_dbguard.runtime.pools.histogram import HistogramFigures


class Rates:
    """What follows from counts and sums: shared by the figures of a shape and those of a role."""

    __slots__ = ()
    calls: int
    errors: int
    total_ms: float

    @property
    def mean_ms(self) -> float:
        """Return the mean duration of one execution; 0.0 without any."""
        return self.total_ms / self.calls if self.calls else 0.0

    @property
    def error_rate(self) -> float:
        """Return the part of the executions that failed, from 0.0 to 1.0."""
        return self.errors / self.calls if self.calls else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON."""
        return {**plain(self), "mean_ms": plain(self.mean_ms)}


@dataclass(frozen=True, slots=True)
class StatementFigures(Rates):
    """All executions of statements that differ in values and lengths of lists only, in one role."""

    role: str
    shape_id: str
    """The same in tests' reports; "other" for all that were too rare to be kept apart."""

    sql: str
    """The shape: no literal, `?` for every value."""

    calls: int
    errors: int
    total_ms: float
    max_ms: float
    rows: int
    """Rows returned or changed, as far as the driver tells; SQLite's tells nothing of what is read."""

    slow: int
    """Executions that took longer than the setting `logging.slow_ms`."""

    durations: HistogramFigures = field(default_factory=HistogramFigures)
    """How long they took, in buckets: `durations.at_most_s(0.99)` is the 99th percentile."""


@dataclass(frozen=True, slots=True)
class RoleFigures(Rates):
    """All statements of one role. Those that the runtime sends itself are not counted."""

    role: str
    calls: int
    errors: int
    total_ms: float
    max_ms: float
    rows: int
    slow: int
    cancelled: int
    """Statements that nobody waited for to the end: their task was cancelled or their thread interrupted."""

    shapes: int
    """Number of shapes that are kept apart."""

    errors_by_kind: Mapping[str, int]
    """By the class of the driver's exception and its SQLSTATE, such as "UniqueViolation 23505"."""

    durations: HistogramFigures = field(default_factory=HistogramFigures)
    """How long they took, in buckets."""
