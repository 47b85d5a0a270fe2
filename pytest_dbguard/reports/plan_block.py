"""Draws a plan in a few lines: the nodes that matter with what leads to them, each in one line, marked at the left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Final

from pytest_dbguard.core.findings import PlanLine, PlanMark
from pytest_dbguard.reports.fitting import cells, cut, one_line
from pytest_dbguard.reports.style import Style

MAX_LINES: Final = 14
"""A plan with more lines is shown around what is marked, unless everything is asked for."""

_SIGNS: Final = MappingProxyType({PlanMark.NONE: " ", PlanMark.HOT: "*", PlanMark.REMOVED: "-", PlanMark.ADDED: "+"})
_COLORS: Final = MappingProxyType(
    {PlanMark.HOT: ("bold", "yellow"), PlanMark.REMOVED: ("red",), PlanMark.ADDED: ("green",)}
)
_MOST_ABOVE: Final = 4
_SMALLEST_TEXT: Final = 40
"""Cells that are left for the text of the deepest line; where it would get less, levels are drawn closer together."""


def plan_block(plan: Sequence[PlanLine], style: Style, room: int, *, is_verbose: bool = False) -> list[str]:
    """Return the lines of a plan, none wider than `room` cells; `* ` stands before the costly node.

    Where two plans stand below each other, `- ` and `+ ` stand before what only one of them has.
    """
    limit = len(plan) if is_verbose else MAX_LINES
    shown = _shown(plan, limit)
    has_marks = any(line.mark is not PlanMark.NONE for line in plan)
    # levels of which no line is shown take no room
    levels = {depth: level for level, depth in enumerate(sorted({plan[number].depth for number in shown}))}
    step = 2 if 2 * len(levels) + _SMALLEST_TEXT <= room else 1
    # plans of hundreds of levels exist; there the depth is lost rather than the text
    most = max(room - _SMALLEST_TEXT, 0)
    return [
        _drawn(line, min(step * levels[line.depth], most), style, room, has_marks=has_marks)
        if isinstance(line, PlanLine)
        else style.paint(cut(line, room), "dim")
        for line in _with_gaps(plan, shown)
    ]


def _drawn(line: PlanLine, indent: int, style: Style, room: int, *, has_marks: bool) -> str:
    sign = f"{_SIGNS[line.mark]} " if has_marks else ""
    text = _fitted(f"{sign}{' ' * indent}", one_line(line.text), room).rstrip()
    colors = _COLORS.get(line.mark)
    return style.paint(text, *colors) if colors else text


def _fitted(before: str, text: str, room: int) -> str:
    """Return a line that fits; the figures at its end stay longest."""
    name, _, figures = text.rpartition(" (")
    if cells(before + text) > room and figures.startswith(("rows=", "cost=")):
        return cut(f"{cut(before + name, max(room - cells(figures) - 2, 0))} ({figures}", room)
    return cut(before + text, room)


def _with_gaps(plan: Sequence[PlanLine], shown: Sequence[int]) -> Iterator[PlanLine | str]:
    """Yield the lines to show, and how many are left out where some are."""
    before = -1
    for number in (*shown, len(plan)):
        missing = number - before - 1
        if missing:
            yield f"  ({missing} more line{'s' * (missing > 1)})"
        if number < len(plan):
            yield plan[number]
        before = number


def _shown(plan: Sequence[PlanLine], limit: int) -> list[int]:
    """Return the numbers of the lines to show: what is marked, its conditions, what stands above, then the nearest."""
    if len(plan) <= limit:
        return list(range(len(plan)))
    marked = [number for number, line in enumerate(plan) if line.mark is not PlanMark.NONE]
    wanted = dict.fromkeys(number for number, line in enumerate(plan) if line.depth == 0)
    wanted |= dict.fromkeys(marked)
    for number in marked:
        wanted |= dict.fromkeys(_details(plan, number))
    for number in marked:
        wanted |= dict.fromkeys(islice(_above(plan, number), _MOST_ABOVE))
    anchor = marked or [0]
    nearest = sorted(range(len(plan)), key=lambda number: (min(abs(number - each) for each in anchor), number))
    wanted |= dict.fromkeys(nearest)
    shown = set(list(wanted)[:limit])
    # to say that one line is missing takes a line as well
    return [n for n in range(len(plan)) if n in shown or {n - 1, n + 1} <= shown | {-1, len(plan)}]


def _details(plan: Sequence[PlanLine], number: int) -> Iterator[int]:
    """Yield the conditions of a node: deeper lines below it that are no nodes themselves."""
    for below in range(number + 1, len(plan)):
        if (
            plan[below].depth <= plan[number].depth
            or plan[below].text.startswith("-> ")
            or ": " not in plan[below].text
        ):
            return
        yield below


def _above(plan: Sequence[PlanLine], number: int) -> Iterator[int]:
    """Yield the nodes that a node stands below, the nearest first."""
    depth = plan[number].depth
    for above in range(number - 1, -1, -1):
        if plan[above].depth < depth:
            depth = plan[above].depth
            yield above
