"""From how many rows of a table an index pays: a bisection over sizes that the lab pretends."""

from __future__ import annotations

import math
from collections.abc import Callable

from pytest_dbguard.planning.lab.base import LabError
from pytest_dbguard.planning.what_if import WhatIf

FEWEST_ROWS = 16
"""Below it nobody asks."""

STEPS = 8


def pays_from(what_if: WhatIf, sql: str, shown: frozenset[str], *, table: str, schema: str, rows: float) -> int | None:
    """Return the number of rows of a table from which the planner uses one of the candidates shown; rounded up.

    It is known at `rows`, where it does. None where the lab cannot pretend other sizes.
    """
    lab = what_if.lab

    def is_used(at: float) -> bool:
        with lab.at_rows(table, at, schema), lab.visible(shown=sorted(shown)):
            plan = lab.explain(sql).plan
        return plan is not None and bool(shown & plan.indexes)

    try:
        return _first(is_used, rows)
    except LabError:
        return None


def _first(is_used: Callable[[float], bool], rows: float) -> int | None:
    """Bisect between the fewest rows and those where it is used, by the logarithm: sizes differ by factors."""
    if rows <= FEWEST_ROWS:
        return None
    low, high = math.log(FEWEST_ROWS), math.log(rows)
    for _ in range(STEPS):
        middle = (low + high) / 2
        if is_used(math.exp(middle)):
            high = middle
        else:
            low = middle
    return _rounded(math.exp(high))


def _rounded(rows: float) -> int:
    """Return a number of rows with two digits that say something, rounded up."""
    unit: int = 10 ** max(0, math.floor(math.log10(rows)) - 1)
    return math.ceil(rows / unit) * unit
