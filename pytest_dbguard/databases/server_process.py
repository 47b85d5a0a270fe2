"""Runs PostgreSQL's programs on a server's private directory, as the server's user."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.libc_locale import utf8_locale
from pytest_dbguard.databases.parent_death import die_with_parent
from pytest_dbguard.databases.postgres_flags import initdb_arguments, server_settings
from pytest_dbguard.databases.postgres_server import PORT, SUPERUSER
from pytest_dbguard.databases.programs import Programs
from pytest_dbguard.databases.server_directory import ServerDirectory
from pytest_dbguard.databases.server_user import ServerUser


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs which programs, and whether what runs ends with this process."""

    programs: Programs
    user: ServerUser
    outlives_us: bool = False

    def initdb_arguments(self) -> list[str]:
        """Return how data directories are made, for who needs to tell one kind from another."""
        return ["-U", SUPERUSER, *initdb_arguments(self.programs.major, utf8_locale())]

    def initialise(self, directory: ServerDirectory) -> subprocess.Popen[bytes]:
        """Begin to make the data directory."""
        program = self.programs.directory / "initdb"
        # the socket's directory lets nobody in but the server's user and root, hence no password
        return self._spawn([program, "-D", directory.data, *self.initdb_arguments()], directory)

    def serve(self, directory: ServerDirectory) -> subprocess.Popen[bytes]:
        """Begin to run the server."""
        command: list[str | Path] = [self.programs.directory / "postgres", "-D", directory.data, "-k", directory.path]
        settings = server_settings(self.programs.major)
        for name, value in ({"listen_addresses": "", "port": str(PORT)} | settings).items():
            command += ["-c", f"{name}={value}"]
        return self._spawn(command, directory)

    def _spawn(self, command: list[str | Path], directory: ServerDirectory) -> subprocess.Popen[bytes]:
        """Run a program in a session of its own: Ctrl-C is for pytest, which then stops it."""
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
                    preexec_fn=None if self.outlives_us else die_with_parent(),  # noqa: PLW1509 - one system call
                    **self.user.popen_options(),
                )
        except OSError as error:
            raise DatabaseError(
                f"'{command[0]}' cannot run as {self.user.name}: {error.strerror or error}",
                hint="run pytest as an unprivileged user, or use --dbguard-database sqlite",
            ) from error


def _environment() -> dict[str, str]:
    """Return our environment without what would steer the server elsewhere (PGDATA, PGPORT, LC_*, …)."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
