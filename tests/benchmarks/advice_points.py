"""Sets of indexes that somebody proposes, and what each is worth."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import advice_ours
from advice_cpu import cpu_s
from advice_peers import MB, PEERS, SLOW
from advice_real import Made, RealIndexes, Worth
from advice_what_if import HypoPG, Index, Problem, Question, Set
from plans_databases import Populated
from plans_rungs import lab_of

from pytest_dbguard.planning.lab.base import Lab, Rung
from pytest_dbguard.planning.statistics.model import Statistics

SAME = 1e-6
"""Share by which the cost of the same plans may differ."""

HEAD = ("advisor", "MB", "left", "said", "set", "unused", "doubled", "plans", "s", "CPU")


class Point(NamedTuple):
    """A set that somebody proposes, what it is worth, and what it took to find it."""

    who: str
    made: tuple[Made, ...]
    worth: Worth
    said: float
    asked: int
    elapsed_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Bench:
    """One workload on one database; `sent` are the questions as a library sends them, with parameters."""

    name: str
    source: Populated
    questions: tuple[Question, ...]
    sent: tuple[Question, ...]
    real: RealIndexes
    before: Worth

    def verify(self) -> None:
        """Fail when the workload without new indexes no longer costs what it did: then no figure since is true."""
        now = self.real.worth(()).cost
        assert abs(now - self.before.cost) <= SAME * self.before.cost, (
            f"cost without: {self.before.cost:,.0f}, {now:,.0f}"
        )

    def row(self, point: Point) -> tuple[str, ...]:
        """Return the cells of a point."""
        worth = point.worth
        cells = (f"{worth.size_bytes / MB:.1f}", f"{worth.cost / self.before.cost:.1%}", f"{point.said:.1%}")
        return (
            point.who,
            *cells,
            *map(str, (len(point.made), worth.unused, worth.redundant)),
            f"{point.asked:,}",
            f"{point.elapsed_s:.1f}",
            f"{point.cpu_s:.1f}",
        )


class Took:
    """What passes from now on: seconds, and those of the CPU in this process and the server."""

    def __init__(self, source: Populated) -> None:
        self._backend = source.connection.info.backend_pid
        self._begun, self._used = time.perf_counter(), cpu_s(self._backend)

    def times(self) -> tuple[float, float]:
        """Return both."""
        return time.perf_counter() - self._begun, cpu_s(self._backend) - self._used


def of_reads(known: Statistics) -> Statistics:
    """Return statistics that tell of no writes: those which filled the tables are no part of the workload."""
    return replace(known, tables=tuple(replace(table, writes_per_read=None) for table in known.tables))


def of_peer(bench: Bench, name: str, budgets: Sequence[float], seconds: float) -> Iterator[Point]:
    """Yield what a peer proposes for each limit that it takes; the same set twice only once."""
    planner = HypoPG(bench.source)
    seen = set[Set]()
    for label, search in PEERS[name](budgets):
        if name not in SLOW:
            planner.reset()
        problem = Problem(planner, bench.questions, seconds=seconds)
        before, took = planner.asked, Took(bench.source)
        found = search(problem)
        times, asked = took.times(), planner.asked - before
        said = problem.cost(found) / problem.cost(frozenset())
        # what is pretended would be in the plans of whatever is measured from here on
        planner.show(frozenset())
        if found in seen:
            continue
        seen.add(found)
        made = tuple(map(_made, sorted(found)))
        point = Point(f"{name} {label}".strip(), made, bench.real.worth(made), said, asked, *times)
        print(*bench.row(point), sep="  ", file=sys.stderr, flush=True)
        yield point


def _made(index: Index) -> Made:
    return Made(index.table, index.columns, index.statement.removeprefix("CREATE INDEX "))


def unseen(bench: Bench, lab: Lab, budgets: Sequence[float | None]) -> Iterator[Point]:
    """Yield what dbguard proposes where it sees no values: in statements, then in statistics either."""
    yield from (of_sent(bench, lab, budget, "$n") for budget in budgets)
    source = bench.source
    with lab_of(Rung.FORGED, source.server, source.catalog, of_reads(source.scrubbed)) as scrubbed:
        yield from (of_sent(bench, scrubbed, budget, "blind") for budget in budgets)


def of_sent(bench: Bench, lab: Lab, budget: float | None, how: str) -> Point:
    """Return what dbguard proposes where it sees statements with parameters, measured on those with values."""
    return of_ours(replace(bench, questions=bench.sent), lab, budget, how=f" {how}")


def of_ours(bench: Bench, lab: Lab, budget: float | None, took: Took | None = None, *, how: str = "") -> Point:
    """Return what dbguard proposes; `took` began before the lab was made, where that is to count."""
    took = took or Took(bench.source)
    advice = advice_ours.asked(lab, bench.questions, None if budget is None else int(budget), 30)
    times = took.times()
    made = tuple(advice_ours.made(advice))
    label = f"dbguard{how}" if budget is None else f"dbguard{how} {budget / MB:.3g}"
    said = advice.cost_after / advice.cost_before
    point = Point(label, made, bench.real.worth(made), said, advice.explains, *times)
    print(*bench.row(point), sep="  ", file=sys.stderr, flush=True)
    return point
