"""PostgreSQL that is installed on this machine, run by us on data of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import missing_driver
from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.databases.postgres_database import PostgresDatabase, start_database
from pytest_dbguard.databases.programs import Programs, examine, has_programs
from pytest_dbguard.databases.server_launch import ServerLaunch, launch_server
from pytest_dbguard.databases.server_user import ServerUser, server_user

if TYPE_CHECKING:
    from sqlalchemy import URL

VARIABLE: Final = "DBGUARD_POSTGRES_BIN"
_OLDEST: Final = 13
_USUAL: Final = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # the packages of postgresql.org for Red Hat and others
    "/usr/libexec/postgresql*",  # Alpine
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
_DEFAULTS: Final = StartOptions()


class LocalPostgresProvider:
    """Starts a server of the newest PostgreSQL that is installed here."""

    kind: ClassVar[str] = "postgres-local"

    def available(self, options: StartOptions = _DEFAULTS) -> str | None:
        """Return what is missing: programs, the driver, or a user to run as."""
        reason = missing_driver("postgres")
        if reason is not None:
            return reason
        try:
            find_local(server_user())
        except DatabaseError as error:
            return f"{error.message}; {error.hint}" if error.hint else error.message
        return None

    def launch(self, options: StartOptions = _DEFAULTS) -> ServerLaunch:
        """Begin to start a server; it comes up while other things happen."""
        reason = missing_driver("postgres")
        if reason is not None:
            raise DatabaseError(f"the database {self.kind!r} cannot start: {reason}")
        user = server_user()
        return launch_server(self.kind, find_local(user), user, options)

    def join(self, url: URL) -> JoinedServer:
        """Return the server that another process of this run has started."""
        return JoinedServer(self.kind, url, is_ours=True)

    def start(self, options: StartOptions = _DEFAULTS) -> PostgresDatabase:
        """Start a server with one empty database on it."""
        return start_database(self, options)


def find_local(user: ServerUser, environ: Mapping[str, str] = os.environ, usual: Iterable[str] = _USUAL) -> Programs:
    """Return the newest installed programs that the user can run.

    Where $DBGUARD_POSTGRES_BIN names a directory, it is that one or none.

    Raises:
        DatabaseError: When there are none, telling what was found and why it does not do.
    """
    named = environ.get(VARIABLE)
    found: list[Programs] = []
    refused: list[str] = []
    for directory in [Path(named)] if named else _directories(environ, usual):
        try:
            found.append(_examined(directory, user))
        except DatabaseError as error:
            refused.append(error.message)
    if not found:
        what = f"{VARIABLE}: {refused[0]}" if named else "; ".join(refused) or "no PostgreSQL is installed here"
        raise DatabaseError(what, hint=f"install PostgreSQL, or name its directory of programs in {VARIABLE}")
    return max(found, key=_age)


def _examined(directory: Path, user: ServerUser) -> Programs:
    if not has_programs(directory):
        raise DatabaseError(f"'{directory}' holds no `initdb` and `postgres`")
    denied = f"user {user.name!r} may not run the programs in '{directory}'"
    if not user.can_enter(directory):
        raise DatabaseError(denied)
    try:
        programs = examine(directory, user)
    except PermissionError as error:
        raise DatabaseError(denied) from error
    if programs.major < _OLDEST:
        raise DatabaseError(f"PostgreSQL {programs.version} in '{directory}' is older than {_OLDEST}")
    return programs


def _age(programs: Programs) -> tuple[int, int]:
    minor = programs.version.partition(".")[2]
    return programs.major, int(minor) if minor.isdecimal() else -1


def _directories(environ: Mapping[str, str], usual: Iterable[str]) -> list[Path]:
    """Return the directories that hold a server's programs, each once."""
    everywhere = [*_on_path(environ), *(Path(path) for pattern in usual for path in sorted(glob(pattern)))]
    everywhere += _told_by_pg_config(environ)
    return list(dict.fromkeys(path.resolve() for path in everywhere if has_programs(path)))


def _on_path(environ: Mapping[str, str]) -> Iterator[Path]:
    for entry in environ.get("PATH", "").split(os.pathsep):
        program = shutil.which("postgres", path=entry) if entry else None
        if program is not None:  # Homebrew and others put links there
            yield Path(program).resolve().parent


def _told_by_pg_config(environ: Mapping[str, str]) -> Iterator[Path]:
    program = shutil.which("pg_config", path=environ.get("PATH", ""))
    if program is not None:
        with suppress(OSError):
            done = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode == 0:
                yield Path(done.stdout.strip())
