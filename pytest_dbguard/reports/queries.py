"""Lists statements by shape and place: for broken expectations and `--dbguard-show-queries`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_dbguard.reports.fitting import cells, fit_query, one_line, pad
from pytest_dbguard.reports.wording import duration

_GAP = 3
# narrower than this a statement says too little: its place goes to the next line
_MIN_QUERY_CELLS = 28


@dataclass(frozen=True, slots=True)
class QueryGroup:
    """All executions of one shape at one place.

    Attributes:
        shape: Text of the statement without literals.
        place: Where it runs: `shop/cart.py:31 in total`; "" where no application frame is known.
        count: How often it ran.
        elapsed_ms: How long all executions took together.
    """

    shape: str
    place: str
    count: int
    elapsed_ms: float = 0.0


def render_queries(groups: Iterable[QueryGroup], *, width: int = 80, show_time: bool = False) -> str:
    """Return a line for each group, most executions first, fitted to `width`; lines are joined by line ends.

    `5 x SELECT … FROM price WHERE price.sku = ?   shop/cart.py:31 in total`
    """
    ordered = sorted(groups, key=lambda group: (-group.count, group.place, group.shape))
    if not ordered:
        return ""
    digits = max(len(str(group.count)) for group in ordered)
    places = [_place(group, show_time) for group in ordered]
    room = width - digits - len(" x ")
    for_query = room - _GAP - max(map(cells, places))
    is_narrow = for_query < _MIN_QUERY_CELLS
    queries = [fit_query(group.shape, room if is_narrow else for_query) for group in ordered]
    column = max(map(cells, queries)) + _GAP
    lines = []
    for group, query, place in zip(ordered, queries, places, strict=True):
        start = f"{group.count:>{digits}} x "
        if is_narrow:
            lines += [start + query, *([f"{' ' * (len(start) + 2)}{place}"] if place else [])]
        else:
            lines.append(f"{start}{pad(query, column)}{place}".rstrip())
    return "\n".join(lines)


def _place(group: QueryGroup, show_time: bool) -> str:
    return one_line(f"{group.place}, {duration(group.elapsed_ms)}" if show_time else group.place)
