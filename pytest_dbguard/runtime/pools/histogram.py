"""Counts durations in fixed buckets, so that many processes' figures can be added up."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

BOUNDS_S: tuple[float, ...] = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
"""Upper bounds in seconds, inclusive: those of OpenTelemetry's semantic conventions for database clients."""


@dataclass(frozen=True, slots=True)
class HistogramFigures:
    """What a histogram held at one moment."""

    counts: tuple[int, ...] = (0,) * (len(BOUNDS_S) + 1)
    """How many durations fell into each bucket of `bounds_s`; the last counts those above every bound."""

    total_s: float = 0.0
    max_s: float = 0.0
    bounds_s: tuple[float, ...] = BOUNDS_S

    @property
    def count(self) -> int:
        """Return how many durations were counted."""
        return sum(self.counts)

    @property
    def mean_s(self) -> float:
        """Return the mean, 0 without any."""
        return self.total_s / self.count if self.count else 0.0

    def at_most_s(self, share: float) -> float:
        """Return an upper bound of what a share of the durations took: `at_most_s(0.99)` for the 99th percentile.

        As exact as the buckets are wide, and never above the longest; 0 without any.
        """
        wanted, seen = share * self.count, 0
        for bound, count in zip(self.bounds_s, self.counts, strict=False):
            seen += count
            if seen >= wanted:
                return min(bound, self.max_s)
        return self.max_s


class Histogram:
    """Durations in buckets. Whoever calls holds the lock that guards it."""

    __slots__ = ("counts", "max_s", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.total_s = 0.0
        self.max_s = 0.0

    def add(self, seconds: float) -> None:
        """Count a duration."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds
        if seconds > self.max_s:
            self.max_s = seconds

    def figures(self) -> HistogramFigures:
        """Return what it holds now."""
        return HistogramFigures(tuple(self.counts), self.total_s, self.max_s)
