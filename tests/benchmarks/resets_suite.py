"""Measurement 3: wall time and memory of a large suite with two workers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import median

from resets_memory import PeakMemory, adopt_orphans
from resets_rows import PYTEST_POSTGRESQL_PROC, SUITE, Row, wanted
from resets_run import Bench, RunFailed, run_pytest
from resets_server import flags_of, server_process

TABLES = 50
WORKERS = 2
LIMIT_S = 900.0


@dataclass(slots=True)
class Suite:
    """The rounds of one row."""

    wall_s: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)
    unclean: int = 0


def measure(bench: Bench, tests: int, rounds: int) -> None:
    """Print one table."""
    sees_all = adopt_orphans()
    rows = [_like_the_shared_server(bench, row) for row in wanted(SUITE, bench.only)]
    done: dict[Row, Suite] = {row: Suite() for row in rows}
    failed: dict[Row, str] = {row: f"{row.missing()} is not installed" for row in rows if row.missing()}
    for _ in range(rounds):
        for row in rows:
            if row not in failed:
                try:
                    _run(bench, row, tests, done[row])
                except RunFailed as error:
                    failed[row] = f"failed: {error}"
    _print(tests, rows, done, failed, sees_all)


def _like_the_shared_server(bench: Bench, row: Row) -> Row:
    if row is not PYTEST_POSTGRESQL_PROC:
        return row
    return replace(row, arguments=(f"--postgresql-postgres-options={flags_of(bench.url)}",))


def _run(bench: Bench, row: Row, tests: int, suite: Suite) -> None:
    shares_server = row.rival in ("savepoint", "pytest_postgresql_noproc")
    arguments = ("-p", "xdist.plugin", "-n", str(WORKERS))
    with PeakMemory(server_process(bench.url) if shares_server else None) as memory:
        # half of the tests write, half of them read
        project = bench.project(row, "suite")
        run = run_pytest(bench, row, project, tables=TABLES, tests=tests // 2, arguments=arguments, limit_s=LIMIT_S)
    suite.wall_s.append(run.wall_s)
    suite.peak_mib.append(memory.peak_mib)
    suite.unclean += sum(not test.get("is_clean", True) for test in run.tests)


def _print(tests: int, rows: list[Row], done: dict[Row, Suite], failed: dict[Row, str], sees_all: bool) -> None:
    print(f"\n### A suite of {tests // 2 * 2} tests, half of them writing, -n{WORKERS}, {TABLES} tables\n")
    print("| | wall time, s | peak memory, MiB (PSS) | clean |")
    print("|---|---:|---:|---|")
    for row in rows:
        if row in failed:
            print(f"| {row.name} | {failed[row]} | | |")
            continue
        suite = done[row]
        memory = f"{median(suite.peak_mib):.0f}" if sees_all else "not measured here"
        clean = f"**not clean** in {suite.unclean} tests" if suite.unclean else "yes"
        print(f"| {row.name} | {median(suite.wall_s):.1f} | {memory} | {clean} |", flush=True)
