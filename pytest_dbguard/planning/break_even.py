"""From how many rows of a table its indexes pay: a bisection over sizes that the lab pretends, all indexes at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_dbguard.planning.lab.base import Lab, LabError

FEWEST_ROWS = 32
"""Below it nobody asks."""

FIRST_PROBE = 1_000
"""Most indexes pay from some hundred rows: a first look here spares steps."""

STEPS = 5
MAX_PROBES = 6
"""Sizes that are pretended for one table: each takes the lab some hundredths of a second."""


@dataclass(frozen=True, slots=True)
class Question:
    """A text, and the candidates of which the planner uses one at the table's size."""

    sql: str
    shown: frozenset[str]


@dataclass(slots=True)
class _Range:
    """The sizes between which the answer lies, as logarithms: sizes differ by factors."""

    low: float
    high: float
    steps: int = 0

    def probe(self) -> float:
        first = math.log(FIRST_PROBE)
        return first if not self.steps and self.low < first < self.high else (self.low + self.high) / 2

    def narrow(self, at: float, *, is_used: bool) -> None:
        self.steps += 1
        if is_used:
            self.high = at
        else:
            self.low = at


def pays_from(
    lab: Lab, questions: Sequence[Question], *, table: str, schema: str, rows: float
) -> Mapping[Question, int]:
    """Return from how many rows of a table the planner uses the candidates of each question; rounded up.

    That it uses them at `rows` is known. Nothing where the lab cannot pretend other sizes, or the table is tiny.
    """
    if rows <= FEWEST_ROWS:
        return {}
    ranges = {each: _Range(math.log(FEWEST_ROWS), math.log(rows)) for each in questions}
    try:
        for _ in range(MAX_PROBES):
            left = [each for each in questions if ranges[each].steps < STEPS]
            if not left:
                break
            at = ranges[left[0]].probe()
            _ask(lab, [each for each in left if ranges[each].probe() == at], ranges, at, table, schema)
    except LabError:
        return {}
    return {each: _rounded(math.exp(found.high)) for each, found in ranges.items() if found.steps}


def _ask(
    lab: Lab, questions: Iterable[Question], ranges: Mapping[Question, _Range], at: float, table: str, schema: str
) -> None:
    with lab.at_rows(table, math.exp(at), schema):
        for each in questions:
            with lab.visible(shown=sorted(each.shown)):
                plan = lab.explain(each.sql).plan
            ranges[each].narrow(at, is_used=plan is not None and bool(each.shown & plan.indexes))


def _rounded(rows: float) -> int:
    """Return a number of rows with two digits that say something, rounded up."""
    unit: int = 10 ** max(0, math.floor(math.log10(rows)) - 1)
    return math.ceil(rows / unit) * unit
