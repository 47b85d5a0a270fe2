"""Measurement 1: what setup and teardown of one test take, for each way to give it clean data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from resets_rows import PER_TEST, Row, wanted
from resets_run import Bench, Run, RunFailed, run_pytest

WRITES, READS = "test_writes", "test_reads"
FEWEST = 6


@dataclass(slots=True)
class Series:
    """The times of one row's tests of one kind, in ms, a list for each round."""

    around: list[list[float]] = field(default_factory=list)
    whole: list[list[float]] = field(default_factory=list)

    def add(self, tests: Iterable[dict[str, Any]]) -> None:
        """Add a round: its first test pays for what all share, its last one for ending it."""
        kept = [test for test in list(tests)[1:] if not test["is_last"]]
        self.around.append([test["setup"] + test["teardown"] for test in kept])
        self.whole.append([test["setup"] + test["call"] + test["teardown"] for test in kept])

    def median(self) -> float:
        return median(map(median, self.around))

    def whole_median(self) -> float:
        return median(map(median, self.whole))

    def p95(self) -> float:
        times = sorted(time for times in self.around for time in times)
        return times[min(len(times) - 1, int(0.95 * len(times)))]


@dataclass(slots=True)
class Measured:
    """All rounds of one row."""

    writes: Series = field(default_factory=Series)
    reads: Series = field(default_factory=Series)
    unclean: int = 0
    not_from_1: int = 0
    uncommitted: int = 0
    tests: int = 0

    def add(self, run: Run) -> None:
        self.writes.add(test for test in run.tests if test["series"] == WRITES)
        self.reads.add(test for test in run.tests if test["series"] == READS)
        self.tests += len(run.tests)
        self.unclean += sum(not test.get("is_clean", True) for test in run.tests)
        self.uncommitted += sum(not test.get("commits", True) for test in run.tests)
        self.not_from_1 += sum(not test.get("starts_at_1", True) for test in run.tests)


def measure(bench: Bench, sizes: list[int], tests: int, rounds: int) -> None:
    """Print a table for each database and number of tables."""
    for database, all_rows in PER_TEST.items():
        for tables in sizes:
            rows = wanted(all_rows, bench.only)
            measured: dict[Row, Measured] = {}
            failed: dict[Row, str] = {row: f"{row.missing()} is not installed" for row in rows if row.missing()}
            for number in range(rounds):
                # the next round begins with another row, so that none always follows the same
                for row in rows[number % len(rows) :] + rows[: number % len(rows)]:
                    if row not in failed:
                        _run(bench, row, tables, tests, measured, failed)
            _print(database, tables, rows, measured, failed)


def _run(
    bench: Bench, row: Row, tables: int, tests: int, measured: dict[Row, Measured], failed: dict[Row, str]
) -> None:
    # what makes all tables anew takes the longer the more there are, and varies the less
    share = row.share if row.share == 1 else row.share * min(1, 50 / tables)
    few = max(FEWEST, int(tests * share))
    try:
        run = run_pytest(bench, row, bench.project(row, f"tables{tables}"), tables=tables, tests=few)
    except RunFailed as error:
        failed[row] = f"failed: {error}"
    else:
        measured.setdefault(row, Measured()).add(run)


def _print(database: str, tables: int, rows: list[Row], measured: dict[Row, Measured], failed: dict[Row, str]) -> None:
    reference = next((measured[row].writes.median() for row in rows if row.is_reference and row in measured), None)
    print(f"\n### Setup and teardown of a test, {database}, {tables} tables, ms\n")
    print(
        "| | writes: median | p95 | ratio | reads: median | p95 | whole writing test | clean | ids from 1 | commits |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---|---|---|")
    for row in rows:
        if row in failed:
            print(f"| {row.name} | {failed[row]} | | | | | | | | |")
            continue
        one = measured[row]
        ratio = "" if reference is None else f"{one.writes.median() / reference:.1f}"
        cells = [row.name, f"{one.writes.median():.2f}", f"{one.writes.p95():.2f}", ratio]
        cells += [f"{one.reads.median():.2f}", f"{one.reads.p95():.2f}", f"{one.writes.whole_median():.1f}"]
        print("|", " | ".join([*cells, *_verdict(row, one)]), "|", flush=True)


def _verdict(row: Row, one: Measured) -> list[str]:
    if row.rival == "nothing":
        return ["", "", ""]
    clean = "yes" if not one.unclean else f"**not clean** in {one.unclean} of {one.tests} tests"
    commits = "no" if one.uncommitted else "yes"
    # in SQLite a test cannot see whether its transaction goes on
    return [clean, "no" if one.not_from_1 else "yes", commits if row.database == "PostgreSQL" else ""]
