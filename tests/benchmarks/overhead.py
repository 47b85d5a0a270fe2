"""Cost of recording one statement: this plugin, empty listeners and other tools, in one process run."""

from __future__ import annotations

import argparse
import gc
import platform
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy
from application import make_application
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from tools import TOOLS, Attach, installed_version, no_plugin

WORKLOADS = ("core_select", "orm_select", "lazy_load", "core_insert")
TITLES = ("Core select by key", "ORM select of 10 rows", "ORM lazy load of 10", "Core insert")


@dataclass
class Samples:
    """CPU time per statement in ns: of chunks with the tool, of plain ones beside them, and the differences."""

    tool: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    added: list[float] = field(default_factory=list)

    def take(self, before: float, tool: float, after: float) -> None:
        plain = (before + after) / 2
        self.tool.append(tool)
        self.plain += (before, after)
        self.added.append(tool - plain)

    @property
    def added_us(self) -> float:
        return median(self.added) / 1000

    @property
    def least_added_us(self) -> float:
        return (min(self.tool) - min(self.plain)) / 1000

    @property
    def plain_us(self) -> float:
        return median(self.plain) / 1000


class Bench:
    """One engine, one application, and chunks of statements timed with and without a tool."""

    def __init__(self, root: Path, statements: int) -> None:
        self.root = root
        self.statements = statements
        self.shop_test, self.queries, self.models = make_application(root)
        self.engine = self.models.make_engine()

    def chunk(self, workload: str, attach: Attach) -> float:
        """Run one chunk and return its CPU time per statement in ns."""
        with attach(self.engine, self.shop_test.test_many, self.root), self.targets(workload) as targets:
            function = getattr(self.queries, workload)
            gc.collect()
            gc.disable()
            start = time.process_time_ns()
            self.shop_test.test_many(function, targets)
            elapsed = time.process_time_ns() - start
            gc.enable()
        # registration leaves this mark behind, and with it a slower path for the next plain chunk
        Engine._has_events = False
        vars(self.engine).pop("_has_events", None)
        return elapsed / len(targets)

    @contextmanager
    def targets(self, workload: str) -> Iterator[list[tuple[int, Any]]]:
        """Give what the statements run on: a new connection or session, opened after the tool was attached."""
        keys = [1 + number % self.models.CUSTOMERS for number in range(self.statements)]
        if workload.startswith("core"):
            with self.engine.connect() as connection:
                yield [(key, connection) for key in keys]
        elif workload == "orm_select":
            with Session(self.engine) as session:
                yield [(key, session) for key in keys]
        else:
            with Session(self.engine) as session:
                yield list(enumerate(self.queries.customers(session)))

    def compare(self, workload: str, tools: dict[str, Attach], rounds: int) -> dict[str, Samples]:
        """Time every tool between two plain chunks, in another order each round."""
        samples = {name: Samples() for name in tools}
        order = list(tools)
        for attach in (no_plugin, *tools.values()):
            self.chunk(workload, attach)
        for _ in range(rounds):
            random.shuffle(order)
            before = self.chunk(workload, no_plugin)
            for name in order:
                tool = self.chunk(workload, tools[name])
                after = self.chunk(workload, no_plugin)
                samples[name].take(before, tool, after)
                before = after
        return samples


def print_table(results: dict[str, dict[str, Samples]], versions: dict[str, str | None]) -> None:
    """Print microseconds added and the ratio of the whole statement's time to that with empty listeners."""
    print("| µs CPU added per statement | " + " | ".join(TITLES) + " |")
    print("|---|" + "---:|" * len(TITLES))
    plain = (f"base {results[w]['empty listeners'].plain_us:.1f}" for w in WORKLOADS)
    print("| no plugin | " + " | ".join(plain) + " |")
    for name, version in versions.items():
        if version is None:
            cells = ["not installed"] + [""] * (len(TITLES) - 1)
        else:
            cells = [cell(results[workload], name) for workload in WORKLOADS]
        print(f"| {name} {version or ''} | ".replace("  |", " |") + " | ".join(cells) + " |")
    print("\nmedian of paired differences [difference of minima] x ratio of the whole to that with empty listeners")


def cell(samples: dict[str, Samples], name: str) -> str:
    """Return one cell: "+12.3 [11.0] x1.20"."""
    own, empty = samples[name], samples["empty listeners"]
    ratio = (own.plain_us + own.added_us) / (empty.plain_us + empty.added_us)
    return f"{own.added_us:+.1f} [{own.least_added_us:.1f}] x{ratio:.2f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="chunks of each tool (default 30)")
    parser.add_argument("--statements", type=int, default=100, help="statements in a chunk (default and at most 100)")
    parser.add_argument("--tools", nargs="*", default=list(TOOLS), choices=list(TOOLS), help="only these")
    options = parser.parse_args()
    names = dict.fromkeys(["empty listeners", *options.tools])
    versions = {name: installed_version(TOOLS[name][0]) for name in names}
    tools = {name: TOOLS[name][1] for name, version in versions.items() if version is not None}
    print(f"Python {platform.python_version()}, SQLAlchemy {sqlalchemy.__version__}, in-memory SQLite, ", end="")
    print(f"{options.rounds} rounds of {options.statements} statements\n")
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(Path(directory).resolve(), options.statements)
        results = {workload: bench.compare(workload, tools, options.rounds) for workload in WORKLOADS}
    print_table(results, versions)


if __name__ == "__main__":
    main()
