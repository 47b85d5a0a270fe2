"""Adds up the executions of one shape."""

from __future__ import annotations

from typing import Final

from pytest_dbguard.runtime.pools.histogram import BOUNDS_S, HistogramFigures
from pytest_dbguard.runtime.statistics.figures import StatementFigures

BOUNDS_NS: Final = tuple(int(bound * 1e9) for bound in BOUNDS_S)
"""Upper bounds of the buckets, in nanoseconds."""


class Row:
    """What was counted of one shape."""

    __slots__ = (
        "buckets",
        "calls",
        "errors",
        "is_counted",
        "is_gone",
        "max_ns",
        "rows",
        "shape_id",
        "slow",
        "sql",
        "total_ns",
    )

    def __init__(self, shape_id: str, sql: str, *, is_counted: bool = True) -> None:
        self.shape_id = shape_id
        self.sql = sql
        self.is_counted = is_counted
        self.is_gone = False
        self.calls = self.errors = self.total_ns = self.max_ns = self.rows = self.slow = 0
        self.buckets = [0] * (len(BOUNDS_NS) + 1)

    def take(self, other: Row) -> None:
        """Add what another has counted."""
        self.calls += other.calls
        self.errors += other.errors
        self.total_ns += other.total_ns
        self.max_ns = max(self.max_ns, other.max_ns)
        self.rows += other.rows
        self.slow += other.slow
        self.buckets = [one + another for one, another in zip(self.buckets, other.buckets, strict=True)]

    def durations(self) -> HistogramFigures:
        """Return how long they took."""
        return HistogramFigures(tuple(self.buckets), self.total_ns / 1e9, self.max_ns / 1e9)

    def figures(self, role: str) -> StatementFigures:
        """Return what was counted."""
        return StatementFigures(
            role=role,
            shape_id=self.shape_id,
            sql=self.sql,
            calls=self.calls,
            errors=self.errors,
            total_ms=self.total_ns / 1e6,
            max_ms=self.max_ns / 1e6,
            rows=self.rows,
            slow=self.slow,
            durations=self.durations(),
        )
