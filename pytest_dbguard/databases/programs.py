"""One installation of PostgreSQL: where its programs are and which version they have."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.server_user import ServerUser

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(\.?[0-9a-z]*)")


@dataclass(frozen=True, slots=True)
class Programs:
    """A directory with `initdb` and `postgres` that the server's user can run."""

    directory: Path
    major: int
    version: str
    """Such as "18.6"; "19beta1" before a release."""

    @property
    def identity(self) -> str:
        """Tell these programs from others, and from what an update puts in their place."""
        status = (self.directory / "postgres").stat()
        return f"{self.directory}|{self.version}|{status.st_size}|{status.st_mtime_ns}"


def has_programs(directory: Path) -> bool:
    """Tell whether a server can be made and run from this directory."""
    return all((directory / name).is_file() for name in ("initdb", "postgres"))


def examine(directory: Path, user: ServerUser) -> Programs:
    """Run the program `postgres` once, as the user, for its version.

    Raises:
        DatabaseError: When it does not run or is no PostgreSQL.
        PermissionError: When the user may not run it.
    """
    program = directory / "postgres"
    try:
        done = subprocess.run(  # noqa: S603
            [program, "--version"], cwd="/", capture_output=True, text=True, check=False, **user.popen_options()
        )
    except PermissionError:
        raise
    except OSError as error:
        raise DatabaseError(f"'{program}' does not run: {error.strerror or error}") from error
    match = _VERSION.search(done.stdout)
    if done.returncode or match is None:
        said = (done.stderr or done.stdout).strip()
        raise DatabaseError(f"'{program}' does not run: {said or f'exit status {done.returncode}'}")
    return Programs(directory, int(match[1]), match[1] + match[2])
