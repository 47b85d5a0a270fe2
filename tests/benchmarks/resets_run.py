"""Makes the project of a row and runs pytest on it in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resets_rows import Row
from resets_server import running_server

if TYPE_CHECKING:
    from sqlalchemy import URL

HERE = Path(__file__).parent
LIMIT_S = 90.0
STOP_S = 20.0
SOURCES = HERE / "resets_project"


class RunFailed(Exception):
    """pytest ended with errors; the text says how."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of pytest reported, all workers together."""

    tests: list[dict[str, Any]]
    fixtures: dict[str, float]
    first_call_s: float
    """From the start of the process to the first test's call phase."""

    wall_s: float


@dataclass(slots=True)
class Bench:
    """The directories, the shared server and the settings of one execution of the script."""

    root: Path
    url: URL
    image: str
    only: list[str] | None
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def cache(self) -> Path:
        """Return the directory that stands in for the user's cache."""
        return self.root / "cache"

    @property
    def fastest(self) -> Path:
        """Return the directory whose file system holds the shared server's data."""
        return Path(str(self.url.query["host"])).parent

    def project(self, row: Row, name: str) -> Path:
        """Return the row's project, made at the first call and the same at every later one."""
        path = self.root / f"{name}-{row.name}-{row.database}".replace(" ", "_").replace(",", "")
        if not path.exists():
            path.mkdir()
            for source in SOURCES.glob("*.py"):
                shutil.copy(source, path)
            shutil.copy(SOURCES / "rivals" / f"{row.rival}.py", path / "conftest.py")
            (path / "pytest.ini").write_text("[pytest]\n")
        return path


@contextmanager
def make_bench(image: str, only: list[str] | None) -> Iterator[Bench]:
    """Start the shared server and make a directory for everything else."""
    with tempfile.TemporaryDirectory(prefix="bench-resets-") as directory:
        root = Path(directory)
        root.chmod(0o755)
        (root / "cache").mkdir()
        with running_server(root / "cache") as url:
            yield Bench(root, url, image, only)


def run_pytest(
    bench: Bench,
    row: Row,
    project: Path,
    *,
    tables: int,
    tests: int,
    cache: Path | None = None,
    url: URL | None = None,
    arguments: Sequence[str] = (),
    limit_s: float = LIMIT_S,
) -> Run:
    """Run the row's tests once; an error when one of them fails."""
    cache = cache or bench.cache
    with tempfile.TemporaryDirectory(dir=bench.fastest) as directory:
        results = Path(directory) / "results"
        results.mkdir()
        settings = {"BENCH_TABLES": tables, "BENCH_TESTS": tests, "BENCH_RESULT": results, "BENCH_CACHE": cache}
        environment = {
            **_environment(bench, row, url or bench.url),
            **{name: str(value) for name, value in settings.items()},
            "DBGUARD_CACHE_DIR": str(cache),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(project), os.environ.get("PYTHONPATH")])),
        }
        print(f"{project.name} ...", file=sys.stderr, flush=True)
        command = [*_command(row, url or bench.url, Path(directory)), *arguments, "--basetemp", f"{directory}/tmp"]
        started = time.monotonic()
        status, output = _finish(command, project, environment, limit_s)
        wall_s = time.monotonic() - started
        if status:
            raise RunFailed(_reason(output))
        return _read(results, started, wall_s)


def _finish(command: Sequence[str], project: Path, environment: Mapping[str, str], limit_s: float) -> tuple[int, str]:
    """Return exit status and output; a run that takes too long is interrupted, so that it stops what it started."""
    stdout, stderr = subprocess.PIPE, subprocess.STDOUT
    with subprocess.Popen(command, cwd=project, env=environment, stdout=stdout, stderr=stderr, text=True) as process:
        try:
            output, _ = process.communicate(timeout=limit_s)
            return process.returncode, output
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
    raise RunFailed(f"it took more than {limit_s:.0f} s")


def _command(row: Row, url: URL, directory: Path) -> list[str]:
    plugins = [part for name in ("measuring", *row.plugins) for part in ("-p", name)]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, *row.arguments]
    if row.rival == "pytest_postgresql_noproc":
        server = {"host": url.query["host"], "port": url.port or 5432, "user": url.username}
        command += [f"--postgresql-{name}={value}" for name, value in server.items()]
    if row.rival == "pytest_postgresql_proc":
        command += [f"--postgresql-exec={_pg_ctl(directory)}"]
    return command


def _environment(bench: Bench, row: Row, url: URL) -> Mapping[str, str]:
    shared = "sqlite://" if row.database == "SQLite" else url.render_as_string(hide_password=False)
    environment = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # a row pays for its own plugins alone
        "BENCH_URL": shared,
        "BENCH_IMAGE": bench.image,
        "DBGUARD_IMAGE": bench.image,
    }
    if "postgres-url" in row.arguments:
        environment["DBGUARD_URL"] = shared
    return environment


def _pg_ctl(directory: Path) -> Path:
    """Return the program that starts a server with its data below `directory`, also for root."""
    from pytest_dbguard.databases.postgres_binaries import wheel_programs
    from pytest_dbguard.databases.server_user import server_user

    user = server_user()
    program = wheel_programs(user).directory / "pg_ctl"
    if not user.borrowed:
        return program
    wrapper = directory / "pg_ctl"
    drop = f"setpriv --reuid {user.uid} --regid {user.gid} --clear-groups"
    wrapper.write_text(f'#!/bin/sh\nchown -R {user.uid}:{user.gid} {directory}/tmp\nexec {drop} {program} "$@"\n')
    wrapper.chmod(0o755)
    directory.chmod(0o755)
    return wrapper


def _reason(output: str) -> str:
    """Return the line that says why a run failed."""
    lines = output.splitlines()
    crash = [line for line in lines if line.startswith("INTERNALERROR>")][-1:]
    first = [line for line in lines if line.startswith(("E  ", "ERROR", "FAILED"))][:1]
    line = (crash or first or lines[-1:] or ["no output"])[0]
    return line.removeprefix("INTERNALERROR>").removeprefix("E  ").strip()[:200]


def _read(results: Path, started: float, wall_s: float) -> Run:
    workers = [json.loads(path.read_text()) for path in sorted(results.glob("*.json"))]
    if not workers or not all(worker["tests"] for worker in workers):
        raise RunFailed("no test ran")
    return Run(
        [test for worker in workers for test in worker["tests"]],
        workers[0]["fixtures"],
        min(worker["first_call"] for worker in workers) - started,
        wall_s,
    )
