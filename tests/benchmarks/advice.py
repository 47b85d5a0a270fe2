"""Measures advice: what is left of a workload's cost at equal real size, beside algorithms of others on HypoPG.

python tests/benchmarks/advice.py [--quick] [--only tpch-19 tpch saas] [--peers ...] [--no-ours]
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import NamedTuple

import advice_saas_queries
import advice_saas_schema
from advice_peers_each import dexter, index_advisor
from advice_peers_exhaustive import anytime, autoadmin
from advice_peers_greedy import db2advis, extend
from advice_real import Made, RealIndexes, Worth
from advice_what_if import HypoPG, Index, Problem, Question, Set
from plans_databases import Populated, filled, populated
from plans_rungs import lab_of
from plans_tables import print_table
from plans_tpch_queries import queries

from pytest_dbguard.planning.lab.base import Lab, Rung
from pytest_dbguard.planning.statistics.model import Statistics

MB = 1_000_000
WORKLOADS = ("tpch-19", "tpch", "saas")
BUDGETS = (5, 10, 20, 40, 80)
COUNTS = (2, 4, 8, 16)
LEFT_OUT = (2, 17, 20)
"""Questions of TPC-H that published comparisons leave out: their costs hide all others."""

SLOW = ("AutoAdmin", "Anytime")
"""Peers that know from their second limit on what they asked for before, since they would take all day."""

HEAD = ("advisor", "MB", "left", "said", "indexes", "unused", "redundant", "plans", "s")
NOTHING = 10**12


class Point(NamedTuple):
    """A set that somebody proposes, what it is worth, and what it took to find it."""

    who: str
    made: tuple[Made, ...]
    worth: Worth
    said: float
    asked: int
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Bench:
    """One workload on one database; `sent` are the questions as a library sends them, with parameters."""

    name: str
    source: Populated
    questions: tuple[Question, ...]
    sent: tuple[Question, ...]
    real: RealIndexes
    before: Worth

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
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=WORKLOADS)
    parser.add_argument("--quick", action="store_true", help="small tables, few budgets, short searches")
    parser.add_argument("--scale", type=float, help="of TPC-H (default 0.1) and of the other schema (ten times that)")
    parser.add_argument("--peers", nargs="*", choices=tuple(PEERS))
    parser.add_argument("--no-ours", dest="ours", action="store_false")
    parser.add_argument("--seconds", type=float, default=60, help="what a search of a peer may take (default 60)")
    parser.add_argument("--losses", action="store_true", help="name the statements that a peer's set serves better")
    options = parser.parse_args()
    options.only = options.only or (WORKLOADS[::2] if options.quick else WORKLOADS)
    if options.peers is None:
        options.peers = [name for name in PEERS if not (options.quick and name in SLOW)]
    options.scale = options.scale or (0.02 if options.quick else 0.1)
    print(f"Python {platform.python_version()}, sqlglot {version('sqlglot')}; scale {options.scale}")
    for bench in benches(options):
        measure(bench, options)


def benches(options: argparse.Namespace) -> Iterator[Bench]:
    """Fill the databases that were asked for, one after the other, and yield workloads on them."""
    if {"tpch-19", "tpch"} & set(options.only):
        with told(populated(15, options.scale)) as source:
            few = [each for each in queries() if each.number not in LEFT_OUT]
            for name, found in (("tpch-19", few), ("tpch", queries())):
                if name in options.only:
                    questions, sent = (
                        tuple(Question(each.number, text(each)) for each in found)
                        for text in (lambda each: each.literal(0), lambda each: each.generic())
                    )
                    yield bench_of(f"TPC-H, {len(questions)} questions", source, questions, sent)
    if "saas" in options.only:
        with told(filled(15, advice_saas_schema.statements(options.scale * 10))) as source:
            texts = enumerate(advice_saas_queries.queries(), 1)
            questions = tuple(Question(number, text, weight) for number, (weight, text) in texts)
            sent = tuple(each._replace(text=advice_saas_queries.with_parameters(each.text)) for each in questions)
            tables = len(advice_saas_schema.tables())
            yield bench_of(f"{tables} tables of many tenants, {len(questions)} statements", source, questions, sent)


@contextmanager
def told(opened) -> Iterator[Populated]:
    begun = time.perf_counter()
    with opened as source:
        print(f"\nPostgreSQL {source.server.version}: filled in {time.perf_counter() - begun:.0f} s", flush=True)
        yield source


def bench_of(name: str, source: Populated, questions: tuple[Question, ...], sent: tuple[Question, ...]) -> Bench:
    real = RealIndexes(source, questions)
    return Bench(name, source, questions, sent, real, real.worth(()))


def measure(bench: Bench, options: argparse.Namespace) -> None:
    """Print what each advisor proposes, then ours at the sizes of the best of them."""
    budgets = [budget * MB * options.scale * 10 for budget in (BUDGETS[::2] if options.quick else BUDGETS)]
    peers = [point for name in options.peers for point in of_peer(bench, name, budgets, options.seconds)]
    title = f"{bench.name}: cost without {bench.before.cost:,.0f}; left in % of it at real sizes"
    if not options.ours:
        print_table(title, HEAD, [bench.row(point) for point in peers])
        return
    begun = time.perf_counter()
    with lab_of(Rung.FORGED, bench.source.server, bench.source.catalog, of_reads(bench.source.full)) as lab:
        made_s = time.perf_counter() - begun
        ours = [of_ours(bench, lab, budget, made_s) for budget in (None, *budgets)]
        if not options.quick:
            ours += unseen(bench, lab, (None, budgets[-1]))
        print_table(title, HEAD, [bench.row(point) for point in (*ours, *peers)])
        compare(bench, lab, ours, front(peers)[:: 2 if options.quick else 1], losses=options.losses)


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
        begun, before = time.perf_counter(), planner.asked
        found = search(problem)
        elapsed_s, asked = time.perf_counter() - begun, planner.asked - before
        if found in seen:
            continue
        seen.add(found)
        said = problem.cost(found) / problem.cost(frozenset())
        planner.show(frozenset())
        made = tuple(map(_made, sorted(found)))
        point = Point(f"{name} {label}".strip(), made, bench.real.worth(made), said, asked, elapsed_s)
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


def of_ours(bench: Bench, lab: Lab, budget: float | None, made_s: float = 0.0, *, how: str = "") -> Point:
    """Return what dbguard proposes, with the time that the making of its lab took."""
    import advice_ours

    begun = time.perf_counter()
    advice = advice_ours.asked(lab, bench.questions, None if budget is None else int(budget), 30)
    elapsed_s = time.perf_counter() - begun + made_s
    made = tuple(advice_ours.made(advice))
    label = f"dbguard{how}" if budget is None else f"dbguard{how} {budget / MB:.3g}"
    said = advice.cost_after / advice.cost_before
    point = Point(label, made, bench.real.worth(made), said, advice.explains, elapsed_s)
    print(*bench.row(point), sep="  ", file=sys.stderr, flush=True)
    return point


def compare(bench: Bench, lab: Lab, ours: Sequence[Point], peers: Sequence[Point], *, losses: bool) -> None:
    """Print for each peer's set that no other peer's beats what ours leaves at no more than its size."""
    rows = []
    known = list(ours)
    for point in peers:
        mine = of_size(bench, lab, point.worth.size_bytes)
        known.append(mine)
        fits = [each for each in known if each.worth.size_bytes <= point.worth.size_bytes]
        best = min(fits, key=lambda each: each.worth.cost, default=mine)
        gap = (best.worth.cost - point.worth.cost) / bench.before.cost
        shares = (point.worth.cost / bench.before.cost, best.worth.cost / bench.before.cost)
        sizes = (f"{point.worth.size_bytes / MB:.2f}", f"{mine.worth.size_bytes / MB:.2f}")
        rows.append((point.who, sizes[0], f"{shares[0]:.2%}", sizes[1], f"{shares[1]:.2%}", f"{gap:+.2%}"))
        if losses:
            tell_losses(bench, point, mine)
    print_table("At the sizes of the best peers", ("peer", "MB", "left", "our MB", "our left", "gap"), rows)


def of_size(bench: Bench, lab: Lab, size_bytes: int) -> Point:
    """Return what dbguard proposes for a real size: where indexes turn out larger than the lab said, for less."""
    budget = float(size_bytes)
    for _ in range(3):
        mine = of_ours(bench, lab, budget)
        if mine.worth.size_bytes <= size_bytes:
            break
        budget *= 0.995 * size_bytes / mine.worth.size_bytes
    return mine


def front(points: Sequence[Point]) -> list[Point]:
    """Return the sets that none beats in both size and cost, by size."""
    ordered = sorted(points, key=lambda each: (each.worth.size_bytes, each.worth.cost))
    kept: list[Point] = []
    for point in ordered:
        if point.made and (not kept or point.worth.cost < kept[-1].worth.cost):
            kept.append(point)
    return kept


def tell_losses(bench: Bench, peer: Point, mine: Point) -> None:
    """Print the statements that a peer's set serves better, then what each has that the other has not."""
    for question in bench.questions:
        lost = question.weight * (mine.worth.costs[question.number] - peer.worth.costs[question.number])
        if lost > 0.001 * bench.before.cost:
            print(f"  {peer.who}: {lost / bench.before.cost:.2%} in number {question.number}")
    for who, one, other in ((peer.who, peer, mine), ("ours", mine, peer)):
        texts = sorted({each.what for each in one.made} - {each.what for each in other.made})
        print(f"  only {who}: {'; '.join(text.removeprefix('ON ') for text in texts)}")


def _by_budget(search: Callable[[Problem, float], Set], budgets: Sequence[float]):
    # HypoPG believes that indexes are up to three times as large: larger budgets fill the same real sizes
    for budget in (*budgets, *(budget * 3 for budget in budgets[-1:]), NOTHING):
        yield "" if budget == NOTHING else f"{budget / MB:g}", partial(_call, search, budget)


def _call(search, limit, problem: Problem) -> Set:
    return search(problem, limit)


PEERS = {
    "Extend": lambda budgets: _by_budget(extend, budgets),
    "DB2Advis": lambda budgets: _by_budget(db2advis, budgets),
    "AutoAdmin": lambda budgets: (
        (f"{count}", partial(_call, autoadmin, count)) for count in COUNTS[:: len(BUDGETS) // len(budgets)]
    ),
    "Anytime": lambda budgets: _by_budget(anytime, budgets[::2]),
    "dexter": lambda _budgets: (("", dexter),),
    "index_advisor": lambda _budgets: (("", index_advisor),),
}
"""Advisors by name: for budgets, what to call for each limit, with the limit's name."""

if __name__ == "__main__":
    main()
