"""Runs a project of nasty tests in a pytest of its own, and follows what happens in it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from pytest_dbguard.databases.base import Server

HERE = Path(__file__).parent
HANGS_S = 300.0
LEAN = "-p no:hypothesispytest -p no:faker"
PHASES = ("setup", "call", "teardown")
# kinds of tests that do not pass in all phases: the outcomes of those that they reach
EXPECTED = {
    "test_fails": ("passed", "failed", "passed"),
    "test_fails_in_the_database": ("passed", "failed", "passed"),
    "test_fails_in_setup": ("failed", None, "passed"),
    "test_fails_in_setup_of_its_class": ("failed", None, "passed"),
    "test_fails_in_teardown": ("passed", "passed", "failed"),
    "test_fails_by_exit": ("passed", "failed", "passed"),
    "test_skips": ("passed", "skipped", "passed"),
}
PASSED = ("passed", "passed", "passed")


@dataclass
class Result:
    """What a run told about itself."""

    output: str = ""
    status: int | None = None
    phases: dict[str, dict[str, str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    where: dict[str, int] = field(default_factory=dict)
    """The process that each test ran in."""

    directories: set[str] = field(default_factory=set)
    """Where the servers keep their data."""

    servers: set[int] = field(default_factory=set)

    def take(self, event: dict[str, Any]) -> None:
        if "warning" in event:
            self.warnings.append((event["category"], event["warning"]))
        elif "when" in event:
            self.phases.setdefault(event["test"], {})[event["when"]] = event["outcome"]
            self.texts[event["test"]] = self.texts.get(event["test"], "") + event["text"]
            self._take_facts(event["test"], event["facts"])

    def _take_facts(self, test: str, facts: dict[str, Any]) -> None:
        if "process" in facts:
            self.where[test] = facts["process"]
        directory = facts.get("directory")
        if directory is not None and directory not in self.directories:
            self.directories.add(directory)
            # a server in a container is none of ours to see
            with contextlib.suppress(FileNotFoundError):
                self.servers.add(int(Path(directory, "postmaster.pid").read_text().split()[0]))

    @property
    def tests(self) -> int:
        """How many tests have run."""
        return len(self.phases)

    @property
    def processes(self) -> set[int]:
        """Those that tests ran in."""
        return set(self.where.values())

    @property
    def crashed(self) -> list[str]:
        """Tests that took their process with them."""
        return [test for test, phases in self.phases.items() if "???" in phases]

    def surprises(self) -> list[str]:
        """What did not end as it should, one a line."""
        return [
            f"{test}: {phases}\n{self.texts[test]}"
            for test, phases in self.phases.items()
            if tuple(map(phases.get, PHASES)) != expected(test) and "???" not in phases
        ]

    def untold_leaks(self) -> list[str]:
        """Tests that leave something open, which nobody was told; or not whose it is and where it was opened."""
        told = {}
        for category, text in self.warnings:
            if category == "LeakWarning":
                told.setdefault(text.partition(" leaves ")[0], text)
        leaking = [test for test in self.phases if kind(test).startswith("test_leaks_")]
        pooled = "test_leaks_pooled_"
        return [
            f"{test}: {told.get(test)}"
            for test in leaking
            if test not in told or (kind(test).startswith(pooled) and kind(test) not in _places(told[test]))
        ]


def _places(leak: str) -> str:
    """Return where a leak was opened, without its first line, which names the test."""
    return leak.partition("\n")[2]


def kind(test: str) -> str:
    """Return the name of a test's function."""
    return test.rpartition("::")[2].partition("[")[0]


def expected(test: str) -> tuple[str | None, ...]:
    """Return the outcomes of a test's phases."""
    return EXPECTED.get(kind(test), PASSED)


class Running:
    """A pytest that runs in a process of its own."""

    def __init__(self, folder: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        self.result = Result()
        self._output = folder / "output.txt"
        reader, writer = os.pipe()
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pytest", "-rA", *arguments],
                cwd=folder,
                env=_environment() | environment | {"TORTURE_EVENTS": str(writer), "PYTEST_ADDOPTS": LEAN},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[writer],
                start_new_session=True,
                preexec_fn=_heed_interrupts,
            )
        os.close(writer)
        self._events = os.fdopen(reader)
        # a run that hangs is killed, and so fails
        self._guard = threading.Timer(HANGS_S, self.kill)
        self._guard.daemon = True
        self._guard.start()

    def until(self, tests: int) -> Result:
        """Wait until so many tests have begun to tell something."""
        while self.result.tests < tests:
            line = self._events.readline()
            assert line, f"the run ended after {self.result.tests} tests:\n{self._output.read_text()[-5000:]}"
            self.result.take(json.loads(line))
        return self.result

    def finish(self) -> Result:
        """Wait until it has ended by itself."""
        for line in self._events:
            self.result.take(json.loads(line))
        self.result.status = self.process.wait()
        self._guard.cancel()
        self._events.close()
        self.result.output = self._output.read_text(errors="replace")
        return self.result

    def interrupt(self) -> None:
        """Do what Ctrl-C does: signal all processes of the terminal."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """Kill the one process that was started."""
        self.process.kill()


def _heed_interrupts() -> None:
    """Let Ctrl-C have its effect where the tests ignore it, as what runs in the background of a shell does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Project:
    """A copy of a project of nasty tests."""

    folder: Path
    environment: dict[str, str]

    @classmethod
    def copied(cls, name: str, folder: Path, **environment: str) -> Project:
        """Copy the project, and what all projects share into it; no file of one may hide one of the other."""
        folder.mkdir()
        for source in (HERE / "shared", HERE / name):
            for file in filter(Path.is_file, source.iterdir()):
                with (folder / file.name).open("xb") as copy:
                    copy.write(file.read_bytes())
        return cls(folder, environment)

    def start(self, *arguments: str, **environment: str) -> Running:
        return Running(self.folder, arguments, self.environment | environment)

    def run(self, *arguments: str, **environment: str) -> Result:
        return self.start(*arguments, **environment).finish()


def take_snapshot(server: Server, folder: Path) -> str:
    """Write the state that tests on PostgreSQL have to find, of a database that dbguard has nothing to do with."""
    url = server.url.set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute("CREATE DATABASE plain")
    file = folder / "snapshot.json"
    plain = url.set(database="plain").render_as_string(hide_password=False)
    project = Project.copied("postgres", folder / "project")
    subprocess.run([sys.executable, project.folder / "take_snapshot.py", plain, file], check=True)
    return str(file)


def _environment() -> dict[str, str]:
    """Return our environment without what says that we are a worker ourselves."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
