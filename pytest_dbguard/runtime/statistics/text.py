"""Writes a performance summary for people, in 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pytest_dbguard.runtime.statistics.figures import StatementFigures

if TYPE_CHECKING:
    from pytest_dbguard.runtime.statistics.summary import PerformanceSummary

WIDTH: Final = 80
_NAME = 20


def lines_of(summary: PerformanceSummary) -> Iterator[str]:
    """Yield the lines of a summary, none longer than 80 characters."""
    yield f"Statements of {duration(summary.uptime_s)}"
    if not any(role.calls for role in summary.roles.values()):
        yield "  none"
    else:
        yield from _role_lines(summary)
        is_one_role = sum(role.calls > 0 for role in summary.roles.values()) == 1
        for title, shapes in (
            ("Most time in total", summary.by_total),
            ("Slowest on average", summary.by_mean),
            ("Most often", summary.by_calls),
            ("Failed", summary.by_errors),
        ):
            yield from _shape_lines(title, shapes, is_one_role=is_one_role)
    if summary.pools:
        yield from _pool_lines(summary)


def duration(seconds: float) -> str:
    """Return a duration in two units: "2 d 3 h", "5 min 0 s"."""
    whole = int(seconds)
    for size, name, smaller, smaller_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // smaller} {smaller_name}"
    return f"{seconds:.1f} s"


def number(value: float) -> str:
    """Return a number in at most six characters: "1234", "12.3k", "4.57M"."""
    for size, name in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            scaled = value / (1e3 if name == "k" else size)
            return f"{scaled:.3g}{name}" if scaled < 1000 else f"{scaled:.0f}{name}"
    return f"{value:.0f}"


def milliseconds(value: float) -> str:
    """Return milliseconds with their unit in at most eight characters: "0.12 ms", "45 ms", "1.20 s", "2.1 h"."""
    if value >= 3_600_000:
        return f"{value / 3_600_000:.1f} h"
    if value >= 60_000:
        return f"{value / 60_000:.1f} min"
    if value >= 1_000:
        return f"{value / 1_000:.2f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2f} ms"


def shortened(text: str, width: int) -> str:
    """Return text that fits, with what comes first and what comes last; of a select without its columns first of all.

    Tables and conditions tell statements apart, long lists of columns do not.
    """
    text = " ".join(text.split())
    if len(text) > width:
        text = _without_columns(text)
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


def _without_columns(select: str) -> str:
    start = len("SELECT ")
    if select[:start].upper() != "SELECT ":
        return select
    depth = 0
    for place in range(start, len(select)):
        depth += {"(": 1, ")": -1}.get(select[place], 0)
        if depth == 0 and select[place : place + 6].upper() == " FROM ":
            return f"{select[:start]}…{select[place:]}"
    return select


def _role_lines(summary: PerformanceSummary) -> Iterator[str]:
    yield f"  {'role':<{_NAME}} {'calls':>7} {'errors':>7} {'slow':>7} {'mean':>9} {'99 %':>11} {'longest':>9}"
    for role in summary.roles.values():
        yield (
            f"  {shortened(role.role, _NAME):<{_NAME}} {number(role.calls):>7} {number(role.errors):>7}"
            f" {number(role.slow):>7} {milliseconds(role.mean_ms):>9} {_at_most(role.durations.at_most_s(0.99)):>11}"
            f" {milliseconds(role.max_ms):>9}"
        )


def _shape_lines(title: str, shapes: Sequence[StatementFigures], *, is_one_role: bool) -> Iterator[str]:
    if not shapes:
        return
    yield ""
    yield f"{title:<{_NAME + 2}} {'calls':>7} {'failed':>7} {'slow':>7} {'mean':>9} {'longest':>9} {'total':>9}"
    for shape in shapes:
        yield f"  {shortened(shape.sql, WIDTH - 2)}"
        role = "" if is_one_role else shape.role
        yield (
            f"    {shortened(role, _NAME - 2):<{_NAME - 2}} {number(shape.calls):>7} {shape.error_rate:>7.0%}"
            f" {number(shape.slow):>7} {milliseconds(shape.mean_ms):>9} {milliseconds(shape.max_ms):>9}"
            f" {milliseconds(shape.total_ms):>9}"
        )


def _pool_lines(summary: PerformanceSummary) -> Iterator[str]:
    yield ""
    titles = f"{'in use':>6} {'idle':>5} {'taken':>7} {'99 % waited':>14} {'gave up':>8} {'leaks':>6}"
    yield f"{'Connections':<{_NAME + 2}} {titles}"
    for name, pool in summary.pools.items():
        yield (
            f"  {shortened(name, _NAME):<{_NAME}} {number(pool.in_use):>6} {number(pool.idle):>5}"
            f" {number(pool.wait.count):>7} {_at_most(pool.wait.at_most_s(0.99)):>14}"
            f" {number(pool.timeouts + pool.shed):>8} {number(pool.leaks):>6}"
        )


def _at_most(seconds: float) -> str:
    return f"<= {milliseconds(seconds * 1e3)}"
