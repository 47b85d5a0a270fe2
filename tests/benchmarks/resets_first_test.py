"""Measurement 2: how long a run takes until its first test can begin, with nothing kept and with what a run left."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from resets_rows import FIRST_TEST, NOTHING, Row, kind_of, wanted
from resets_run import HERE, Bench, RunFailed, run_pytest
from resets_server import running_server

if TYPE_CHECKING:
    from sqlalchemy import URL

TABLES = 50


@dataclass(slots=True)
class Times:
    """One row, in ms."""

    first: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)


def measure(bench: Bench, rounds: int) -> None:
    """Print one table: the rows, cold and warm."""
    rows = wanted(FIRST_TEST, bench.only)
    cold: dict[Row, Times] = {}
    warm: dict[Row, Times] = {}
    failed: dict[Row, str] = {row: f"{row.missing()} is not installed" for row in rows if row.missing()}
    run_pytest(bench, NOTHING, bench.project(NOTHING, "first"), tables=TABLES, tests=1)  # writes bytecode
    for _ in range(rounds):
        for row in (NOTHING, *rows):
            if row not in failed:
                try:
                    _cold(bench, row, cold.setdefault(row, Times()))
                    _warm(bench, row, warm.setdefault(row, Times()))
                except RunFailed as error:
                    failed[row] = f"failed: {error}"
    _print(rows, cold, warm, failed)


def _cold(bench: Bench, row: Row, times: Times) -> None:
    with tempfile.TemporaryDirectory(dir=bench.root) as directory, running_server(bench.cache) as url:
        Path(directory).chmod(0o755)
        cache, project = Path(directory) / "cache", bench.project(row, f"first-{Path(directory).name}")
        cache.mkdir()
        _once(bench, row, times, project, cache, url)


def _warm(bench: Bench, row: Row, times: Times) -> None:
    project, cache = bench.project(row, "first-warm"), bench.cache
    if not times.first:
        _once(bench, row, Times(), project, cache, bench.url)  # leaves behind what later runs start from
    _once(bench, row, times, project, cache, bench.url)


def _once(bench: Bench, row: Row, times: Times, project: Path, cache: Path, url: URL) -> None:
    run = run_pytest(bench, row, project, tables=TABLES, tests=1, cache=cache, url=url)
    times.first.append(1000 * run.first_call_s)
    if row.server_fixture is not None:
        times.server.append(run.fixtures[row.server_fixture])
    kind = kind_of(row)
    if kind is not None and kind.startswith("postgres-") and kind != "postgres-url":
        times.server.append(_server_ms(kind, bench, project, cache))


def _server_ms(kind: str, bench: Bench, project: Path, cache: Path) -> float:
    """Return what the server alone takes, started in a process of its own from what the run before it left."""
    command = [sys.executable, str(HERE / "resets_server.py"), kind, str(cache), str(project), "--image", bench.image]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RunFailed((done.stderr.splitlines() or ["the server alone did not start"])[-1])
    return float(done.stdout.split()[-1])


def _print(rows: list[Row], cold: dict[Row, Times], warm: dict[Row, Times], failed: dict[Row, str]) -> None:
    empty = median(cold[NOTHING].first + warm[NOTHING].first)
    print(f"\n### First test ready, {TABLES} tables, ms more than without a database ({empty:.0f} ms)\n")
    print("| | cold | warm | the server alone, cold | warm |")
    print("|---|---:|---:|---:|---:|")
    for row in rows:
        if row in failed:
            print(f"| {row.name} | {failed[row]} | | | |")
            continue
        cells = [f"{median(times[row].first) - empty:.0f}" for times in (cold, warm)]
        cells += [f"{median(times[row].server):.0f}" if times[row].server else "" for times in (cold, warm)]
        print("|", " | ".join([row.name, *cells]), "|", flush=True)
