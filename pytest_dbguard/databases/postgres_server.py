"""Starts a PostgreSQL server of our own on a socket in a private directory, and stops it with all its data."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.parent_death import die_with_parent
from pytest_dbguard.databases.server_directory import ServerDirectory
from pytest_dbguard.databases.server_user import ServerUser

if TYPE_CHECKING:
    from sqlalchemy import URL

SUPERUSER = "postgres"
_START_S = 60.0
_POLL_S = 0.01
_STOP_S = 5.0
# A throw-away server: nothing has to survive a crash, and everything has to be the same on every machine.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "128MB",
    "shared_buffers": "32MB",
    "max_locks_per_transaction": "256",
    "jit": "off",
    "timezone": "UTC",
    "log_min_messages": "log",  # no ERROR lines: they would hold the statements of the tests
}


class PostgresServer:
    """A running server that dies with this process; use `start_server` to get one."""

    def __init__(self, process: subprocess.Popen[bytes], directory: ServerDirectory) -> None:
        self._process = process
        self._directory = directory
        self._owner = os.getpid()
        self._stopped = False

    @property
    def url(self) -> URL:
        """Return the address of the server's maintenance database."""
        from sqlalchemy import URL

        return URL.create(
            "postgresql+psycopg",
            username=SUPERUSER,
            database="postgres",
            query={"host": str(self._directory.path)},
        )

    @property
    def pid(self) -> int:
        """Return the process number of the server."""
        return self._process.pid

    def stop(self) -> None:
        """Stop the server, politely first, and delete its data. A forked child of the owner stops nothing."""
        if self._stopped or os.getpid() != self._owner:
            return
        self._stopped = True
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self._process.send_signal(number)
            try:
                self._process.wait(_STOP_S)
                break
            except subprocess.TimeoutExpired:
                continue
        self._directory.remove()


def start_server(
    programs: Path,
    user: ServerUser,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> PostgresServer:
    """Make a data directory, run a server on it and return it once it takes connections.

    Raises:
        DatabaseError: With the last lines of the log, when it does not come up within a minute.
    """
    directory = ServerDirectory.create(user)
    try:
        _initialise(programs, user, directory)
        server = PostgresServer(_launch(programs, user, directory), directory)
    except BaseException:
        directory.remove()
        raise
    try:
        _wait_until_ready(server, directory, clock, sleep)
    except BaseException:
        server.stop()
        raise
    return server


def _initialise(programs: Path, user: ServerUser, directory: ServerDirectory) -> None:
    command: list[str | Path] = [programs / "initdb", "-D", directory.data, "-U", SUPERUSER]
    # The socket's directory lets nobody in but the server's user and root, hence no password. The built-in locale
    # sorts alike on every machine.
    command += [
        "--no-sync",
        "--no-instructions",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
    ]
    status = _spawn(command, user, directory).wait()
    if status:
        raise _failure(f"initdb ended with status {status}", directory)


def _launch(programs: Path, user: ServerUser, directory: ServerDirectory) -> subprocess.Popen[bytes]:
    command: list[str | Path] = [programs / "postgres", "-D", directory.data, "-k", directory.path]
    for name, value in _SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    return _spawn(command, user, directory)


def _spawn(command: list[str | Path], user: ServerUser, directory: ServerDirectory) -> subprocess.Popen[bytes]:
    """Run a program as the server's user, in a session of its own: Ctrl-C is for pytest, which then stops it."""
    try:
        with directory.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                command,
                cwd=directory.path,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - does one system call
                **user.popen_options(),
            )
    except OSError as error:
        raise DatabaseError(
            f"'{command[0]}' cannot run as {user.name}: {error.strerror or error}",
            hint="run pytest as an unprivileged user, or use --dbguard-database sqlite",
        ) from error


def _environment() -> dict[str, str]:
    """Return our environment without what would steer the server elsewhere (PGDATA, PGPORT, LC_*, …)."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}


def _wait_until_ready(
    server: PostgresServer,
    directory: ServerDirectory,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    import psycopg

    deadline = clock() + _START_S
    while True:
        if (status := server._process.poll()) is not None:
            raise _failure(f"the server ended with status {status}", directory)
        try:
            psycopg.connect(connection_string(server.url)).close()
        except psycopg.OperationalError as error:
            if clock() > deadline:
                raise _failure(f"no connection within {_START_S:.0f} s: {error}", directory) from error
            sleep(_POLL_S)
        else:
            return


def connection_string(url: URL) -> str:
    """Return what libpq understands of a URL."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _failure(what: str, directory: ServerDirectory) -> DatabaseError:
    return DatabaseError(
        f"PostgreSQL does not start in '{directory.path}': {what}\n{directory.tail()}".rstrip(),
        hint="mend what the log says, or use --dbguard-database sqlite; `dbguard doctor --start` tries every database",
    )
