"""Measures advice: what is left of a workload's cost at equal real size, beside algorithms of others on HypoPG.

python tests/benchmarks/advice.py [--quick] [--only tpch-19 tpch saas] [--peers ...] [--no-ours]
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import advice_saas_queries
import advice_saas_schema
from advice_compare import compare, front
from advice_peers import BUDGETS, MB, PEERS, SLOW
from advice_points import HEAD, Bench, Took, of_ours, of_peer, of_reads, unseen
from advice_real import RealIndexes
from advice_what_if import Question
from plans_databases import Populated, filled, populated
from plans_rungs import lab_of
from plans_tables import print_table
from plans_tpch_queries import queries

from pytest_dbguard.planning.lab.base import Rung

WORKLOADS = ("tpch-19", "tpch", "saas")
LEFT_OUT = (2, 17, 20)
"""Questions of TPC-H that published comparisons leave out: their costs hide all others."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=WORKLOADS)
    parser.add_argument("--quick", action="store_true", help="small tables, few budgets, short searches")
    parser.add_argument("--scale", type=float, help="of TPC-H (default 0.1) and of the other schema (ten times that)")
    parser.add_argument("--peers", nargs="*", choices=tuple(PEERS))
    parser.add_argument("--no-ours", dest="ours", action="store_false")
    parser.add_argument("--seconds", type=float, help="what a search of a peer may take (default 60)")
    parser.add_argument("--losses", action="store_true", help="name the statements that a peer's set serves better")
    options = parser.parse_args()
    options.only = options.only or (WORKLOADS[::2] if options.quick else WORKLOADS)
    if options.peers is None:
        options.peers = [name for name in PEERS if not (options.quick and name in SLOW)]
    options.seconds = options.seconds or (10 if options.quick else 60)
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
    budgets = [budget * MB * options.scale * 10 for budget in (BUDGETS[::4] if options.quick else BUDGETS)]
    peers = [point for name in options.peers for point in of_peer(bench, name, budgets, options.seconds)]
    title = f"{bench.name}: cost without {bench.before.cost:,.0f}; left in % of it at real sizes"
    bench.verify()
    if not options.ours:
        print_table(title, HEAD, [bench.row(point) for point in peers])
        return
    took = Took(bench.source)
    with lab_of(Rung.FORGED, bench.source.server, bench.source.catalog, of_reads(bench.source.full)) as lab:
        ours = [of_ours(bench, lab, None, took), *(of_ours(bench, lab, budget) for budget in budgets)]
        if not options.quick:
            ours += unseen(bench, lab, (None, budgets[-1]))
        print_table(title, HEAD, [bench.row(point) for point in (*ours, *peers)])
        compare(bench, lab, ours, front(peers)[:: 4 if options.quick else 1], losses=options.losses)
    bench.verify()


if __name__ == "__main__":
    main()
