"""Workloads for tests of advice: statements by their text, and how often they run."""

from __future__ import annotations

from pytest_dbguard.core.findings import Shape
from pytest_dbguard.planning.workload import Exemplar, Use, Workload, WorkloadStatement


def statement(number, text, count=1, style="numeric_dollar", verb=None):
    """Return a statement whose shape is its text."""
    return WorkloadStatement(
        Shape(f"s{number:02}", text), Exemplar(text, style), (Use(None, count, ()),), verb or text.split()[0]
    )


def workload(*texts, style="numeric_dollar"):
    """Return a workload of texts, or of (text, count)."""
    pairs = [each if isinstance(each, tuple) else (each, 1) for each in texts]
    return Workload("s", tuple(statement(number, text, count, style) for number, (text, count) in enumerate(pairs)))
