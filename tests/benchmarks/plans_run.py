"""Measures what planning adds to runs of tests: to suites of many statements, and to the example project.

python tests/benchmarks/plans_run.py [--shapes 200 2000] [--databases sqlite postgres-embedded] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plans_tables import print_table

TABLES, COLUMNS = 50, 10
SHAPES_A_TEST = 20
EXAMPLE = Path(__file__).parents[2] / "example_project"
HEAD = ("suite", "database", "plans", "first", "later", "CPU", "planning", "findings")
WAYS = {"none": ("--dbguard-ignore=DBG2,DBG3,DBG903",), "read only": ("--dbguard-lab=off",), "with a lab": ()}

MODELS = """
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, and_, select, update

metadata = MetaData()
for number in range({tables}):
    Table(
        f"t{{number}}",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("parent", ForeignKey(f"t{{number - 1}}.id"), nullable=True) if number else Column("parent", Integer),
        *(Column(f"c{{at}}", String(20) if at % 2 else Integer, index=at < 2) for at in range({columns})),
    )


def statement(number):
    place, table = divmod(number, {tables})
    table = metadata.tables[f"t{{table}}"]
    one, two = divmod(place, {columns} - 1)
    two += two >= one
    one, two = table.c[f"c{{one}}"], table.c[f"c{{two}}"]
    values = {{column: "x" if isinstance(column.type, String) else 1 for column in (one, two)}}
    condition = one == values[one]
    match number % 5:
        case 0:
            return select(table.c.id).where(condition).order_by(two).limit(10)
        case 1:
            return select(table.c.id, one).where(condition, two > values[two])
        case 2:
            other = table.alias()
            return select(other.c.id).join(table, table.c.parent == other.c.id).where(condition, two.is_not(None))
        case 3:
            return update(table).where(condition, two == values[two]).values(c9="y")
        case _:
            return select(table).where(condition, two == values[two])


def ask(connection, first, last):
    for number in range(first, last):
        connection.execute(statement(number))
"""
TESTS = """
import pytest
from shop import ask, metadata


@pytest.fixture(scope="session")
def dbguard_metadata():
    return metadata


@pytest.mark.parametrize("first", range(0, {shapes}, {each}))
def test_some(dbguard_session, first):
    ask(dbguard_session.connection(), first, first + {each})
"""
SETTINGS = '[tool.pytest.ini_options]\naddopts = "-p no:cacheprovider -p no:asyncio"\n'


@dataclass
class Run:
    """How long a run took, its CPU time, how long its planning took of all, and how many findings it had."""

    elapsed_s: float
    cpu_s: float
    planning_s: float
    findings: int


def main() -> None:
    """Print a table with a row for each suite, database and way to plan."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="*", type=int, default=[200, 2000], help="suites of so many statements")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgres-embedded"])
    parser.add_argument("--rounds", type=int, default=3, help="later runs, of which the fastest counts (default 3)")
    parser.add_argument("--no-example", dest="example", action="store_false", help="generated suites alone")
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}; seconds of a first and of a later run, and of the latter CPU and planning"
    )
    rows: list[Sequence[str]] = []
    suites = [("example", None)] if options.example else []
    for title, suite in (*suites, *((f"{shapes:,} shapes", shapes) for shapes in options.shapes)):
        for database in options.databases:
            for row in measured(title, suite, database, options.rounds):
                print(*row, sep="  ", file=sys.stderr)
                rows.append(row)
    print_table(
        f"{TABLES} tables, {SHAPES_A_TEST} statements a test; example: the project in example_project/", HEAD, rows
    )


def measured(title: str, shapes: int | None, database: str, rounds: int) -> Iterator[Sequence[str]]:
    """Yield a row for each way to plan; their later runs alternate."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place).resolve() / "suite"
        write(root, shapes)
        # the first run compiles bytecode and fills the system's caches, which is no matter of plans
        run(root, database, Path(place) / "unmeasured", WAYS["none"])
        caches = {way: Path(place) / way.replace(" ", "-") for way in WAYS}
        first = {way: run(root, database, caches[way], flags) for way, flags in WAYS.items()}
        later = {way: list[Run]() for way in WAYS}
        for _ in range(rounds):
            for way, flags in WAYS.items():
                later[way].append(run(root, database, caches[way], flags))
        for way in WAYS:
            best = min(later[way], key=lambda each: each.elapsed_s)
            times = (first[way].elapsed_s, best.elapsed_s, best.cpu_s, best.planning_s)
            yield title, database, way, *(f"{each:.2f}" for each in times), str(best.findings)


def write(root: Path, shapes: int | None) -> None:
    """Write a suite; the example project where no number of statements is given."""
    if shapes is None:
        shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns("__pycache__", ".*", "*.db"))
        return
    root.mkdir()
    (root / "pyproject.toml").write_text(SETTINGS)
    (root / "shop.py").write_text(MODELS.format(tables=TABLES, columns=COLUMNS))
    (root / "test_shop.py").write_text(TESTS.format(shapes=shapes, each=SHAPES_A_TEST))


def run(root: Path, database: str, cache: Path, flags: Sequence[str]) -> Run:
    """Run a suite in a process of its own."""
    report = root / "report.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "--dbguard", "-q", f"--dbguard-database={database}", *flags]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "DBGUARD_CACHE_DIR": str(cache)}
    used, start = cpu_of_children_s(), time.perf_counter()
    result = subprocess.run(
        [*command, f"--dbguard-report=json:{report}"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    elapsed_s, cpu_s = time.perf_counter() - start, cpu_of_children_s() - used
    if not report.exists() or " failed" in result.stdout.splitlines()[-1]:
        sys.exit(f"{' '.join(command)}:\n{result.stdout[-3000:]}{result.stderr[-3000:]}")
    told = json.loads(report.read_text())
    return Run(elapsed_s, cpu_s, (told["timing"]["planning_ms"] or 0) / 1000, len(told["findings"]))


def cpu_of_children_s() -> float:
    """Return the CPU time of the processes that have ended; a server of PostgreSQL is none of them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
