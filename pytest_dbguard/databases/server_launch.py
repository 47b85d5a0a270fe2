"""Brings a server of our own up: from a copy that an earlier run left where there is one, else from nothing."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.kept_mark import KeptMark
from pytest_dbguard.databases.postgres_server import PostgresServer
from pytest_dbguard.databases.programs import Programs
from pytest_dbguard.databases.server_directory import ServerDirectory
from pytest_dbguard.databases.server_process import Runner
from pytest_dbguard.databases.server_user import ServerUser
from pytest_dbguard.databases.warm_copies import WarmCopies, warm_copies

_START_S = 60.0
_POLL_S = 0.002
_READY_LINE = 7  # of postmaster.pid, which the server writes its state to for pg_ctl


@dataclass(frozen=True, slots=True)
class _Copies:
    """The copies that fit these programs: the project's own, with its templates, and one that is as initdb made it."""

    kept: WarmCopies | None
    base: str
    project: str | None

    def unpack(self, directory: ServerDirectory, user: ServerUser) -> str | None:
        """Make the data directory from the best copy; return its name, None when there is none that is whole."""
        if self.kept is not None:
            for name in filter(None, (self.project, self.base)):
                if self.kept.unpack(name, directory.data, user):
                    return name
                shutil.rmtree(directory.data, ignore_errors=True)
        return None

    def discard(self, name: str) -> None:
        if self.kept is not None:
            self.kept.discard(name)

    def save(self, name: str | None, directory: ServerDirectory) -> None:
        if self.kept is not None and name is not None:
            self.kept.save(name, directory.data)


class ServerLaunch:
    """A server that is coming up."""

    def __init__(
        self,
        kind: str,
        runner: Runner,
        copies: _Copies,
        project: Path | None,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._kind = kind
        self._runner = runner
        self._copies = copies
        self._project = project
        self._clock = clock
        self._sleep = sleep
        self._server: PostgresServer | None = None
        self._directory = ServerDirectory.create(runner.user)
        try:
            self._copy = copies.unpack(self._directory, runner.user)
            self._process = self._initialise() if self._copy is None else self._serve()
        except BaseException:
            self._directory.remove()
            raise

    def ready(self) -> PostgresServer:
        """Wait for the server.

        Raises:
            DatabaseError: With the last lines of the log, when it does not come up within a minute.
        """
        if self._server is None:
            try:
                self._server = self._come_up()
            except BaseException:
                self.abandon()
                raise
        return self._server

    def abandon(self) -> None:
        """Stop what is coming up and delete it; nothing when it is ready already."""
        if self._server is None:
            self._as_server().close()

    def _come_up(self) -> PostgresServer:
        if self._copy is not None:
            try:
                return self._wait_until_ready()
            except DatabaseError:
                # whole, yet no server runs on it: the next run shall not try it either
                self._copies.discard(self._copy)
                self._copy = None
                self._start_over()
        self._wait_for_initdb()
        self._copies.save(self._copies.base, self._directory)
        self._process = self._serve()
        return self._wait_until_ready()

    def _start_over(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._directory.data, ignore_errors=True)
        self._process = self._initialise()

    def _initialise(self) -> subprocess.Popen[bytes]:
        return self._runner.initialise(self._directory)

    def _serve(self) -> subprocess.Popen[bytes]:
        process = self._runner.serve(self._directory)
        if self._runner.outlives_us:
            project = None if self._project is None else str(self._project)
            KeptMark(self._kind, process.pid, datetime.now(UTC).isoformat(), project).write(self._directory.path)
        return process

    def _wait_for_initdb(self) -> None:
        try:
            status = self._process.wait(_START_S)
        except subprocess.TimeoutExpired as error:
            raise self._failure(f"initdb has not ended within {_START_S:.0f} s") from error
        if status:
            raise self._failure(f"initdb ended with status {status}")

    def _wait_until_ready(self) -> PostgresServer:
        deadline = self._clock() + _START_S
        while not self._is_ready():
            if (status := self._process.poll()) is not None:
                raise self._failure(f"the server ended with status {status}")
            if self._clock() > deadline:
                raise self._failure(f"it is not ready within {_START_S:.0f} s")
            self._sleep(_POLL_S)
        return self._as_server()

    def _is_ready(self) -> bool:
        """Tell what `pg_ctl -w` would; connecting would have to import the driver first."""
        try:
            lines = (self._directory.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > _READY_LINE and lines[_READY_LINE].strip() == "ready" and lines[0] == str(self._process.pid)

    def _as_server(self) -> PostgresServer:
        version = self._runner.programs.version
        return PostgresServer(self._kind, version, self._process, self._directory, self._keep_data)

    def _keep_data(self) -> None:
        self._copies.save(self._copies.project, self._directory)

    def _failure(self, what: str) -> DatabaseError:
        return DatabaseError(
            f"PostgreSQL does not start in '{self._directory.path}': {what}\n{self._directory.tail()}".rstrip(),
            hint="mend what the log says, or use --dbguard-database sqlite; "
            "`dbguard doctor --start` tries every database",
        )


def launch_server(
    kind: str,
    programs: Programs,
    user: ServerUser,
    options: StartOptions,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> ServerLaunch:
    """Begin to start a server of these programs.

    Raises:
        DatabaseError: When there is no place for it, or its programs do not run.
    """
    runner = Runner(programs, user, options.outlives_run)
    copies = _copies(runner, options)
    return ServerLaunch(kind, runner, copies, options.project, clock, sleep)


def _copies(runner: Runner, options: StartOptions) -> _Copies:
    base = _digest(runner.programs.identity, *runner.initdb_arguments())
    project = None if options.project is None else f"{project_snapshots(options.project)}-{base}"
    return _Copies(warm_copies(options), f"base-{base}", project)


def project_snapshots(project: Path) -> str:
    """Return what the names of a project's snapshots begin with."""
    return f"project-{_digest(str(project.resolve()))}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
