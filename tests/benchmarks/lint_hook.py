"""Measures `dbguard lint` as a hook starts it: a process of its own, cold, unchanged, and after a change."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from statistics import median

HEAD = ("dbguard lint", "s, median", "s, worst", "CPU s, median")
QUIET_MODULES, SPEAKING_MODULES, SQL_FILES = 60, 12, 6

QUIET = '''"""Prices."""


def price_{number}(amount, rate):
    """Return what is to be paid."""
    return round(amount * (1 + rate) + {number}, 2)
'''
SPEAKING = '''"""Orders."""

from sqlalchemy import text


def orders_{number}(session, customer):
    query = text("SELECT id, number FROM orders WHERE customer_id = :c AND kind = {number}")
    return session.execute(query, {{"c": customer}}).all()


def page_{number}(cursor, limit, offset):
    query = "SELECT id, name FROM customer WHERE tenant_id = %s ORDER BY id LIMIT %s OFFSET %s"
    cursor.execute(query, ({number}, limit, offset))
    return cursor.fetchall()
'''
QUERIES = """-- name: late_{number}
SELECT o.id, o.number FROM orders o WHERE o.status = 'late' AND o.tenant_id = {number};

-- name: products_{number}
SELECT p.sku FROM product p JOIN category k ON k.id = p.category_id WHERE k.slug = :slug;
"""


def hook(rounds: int) -> tuple[tuple[str, ...], ...]:
    """Return rows: how long the process takes from start to end, in seconds."""
    with tempfile.TemporaryDirectory() as place:
        project, cache = Path(place) / "project", Path(place) / "cache"
        files = _write(project)
        changes = iter(range(10**6))

        def empty() -> None:
            rmtree(cache, ignore_errors=True)

        def change() -> None:
            path = project / "orders_0.py"
            path.write_text(path.read_text() + f"\n# change {next(changes)}\n")

        runs: dict[str, tuple[list[str], Callable[[], None]]] = {
            "nothing known, all files": (["."], empty),
            "nothing changed, all files": (["."], lambda: None),
            "one file changed, all files": (["."], change),
            "nothing known, files by name": (files, empty),
            "nothing changed, files by name": (files, lambda: None),
            "one file, nothing known": ([files[-1]], empty),
        }
        return tuple(
            _row(title, _times(words, before, project, cache, rounds)) for title, (words, before) in runs.items()
        )


def _write(project: Path) -> list[str]:
    project.mkdir()
    (project / "pyproject.toml").write_text("[tool.dbguard]\n")
    made = [(f"prices_{number}.py", QUIET.format(number=number)) for number in range(QUIET_MODULES)]
    made += [(f"orders_{number}.py", SPEAKING.format(number=number)) for number in range(SPEAKING_MODULES)]
    made += [(f"queries_{number}.sql", QUERIES.format(number=number)) for number in range(SQL_FILES)]
    for name, text in made:
        (project / name).write_text(text)
    return [name for name, _ in made]


def _times(
    words: list[str], before: Callable[[], None], project: Path, cache: Path, rounds: int
) -> list[tuple[float, float]]:
    program = Path(sys.executable).with_name("dbguard")
    environment = {**os.environ, "DBGUARD_CACHE_DIR": str(cache), "XDG_CACHE_HOME": str(cache)}
    times = []
    for each in range(rounds + 1):
        before()
        used, start = _cpu_s(), time.perf_counter()
        result = subprocess.run(
            [str(program), "lint", *words], cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        elapsed_s = time.perf_counter() - start
        if result.returncode not in (0, 1):
            sys.exit(f"dbguard lint ended with {result.returncode}:\n{result.stdout}{result.stderr}")
        if each:  # the first one writes bytecode, or fills the cache
            times.append((elapsed_s, _cpu_s() - used))
    return times


def _cpu_s() -> float:
    """Return what processes of ours that ended have used: the machine may have other things to do."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _row(title: str, times: list[tuple[float, float]]) -> tuple[str, ...]:
    elapsed, cpu = zip(*times, strict=True)
    return title, f"{median(elapsed):.2f}", f"{max(elapsed):.2f}", f"{median(cpu):.2f}"
