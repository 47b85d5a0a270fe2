"""Where the lab of a PostgreSQL schema may be made: the tests' own server, one of its own, or one that was given."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Launch, Server, StartOptions
from pytest_dbguard.databases.postgres_local import VARIABLE, find_local
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.databases.server_launch import launch_server
from pytest_dbguard.databases.server_user import server_user

EMBEDDED: Final = "postgres-embedded"
LOCAL: Final = "postgres-local"
_USUAL: Final = (
    "/usr/lib/postgresql/{major}/bin",
    "/usr/pgsql-{major}/bin",
    "/usr/libexec/postgresql{major}",
    "/opt/homebrew/opt/postgresql@{major}/bin",
    "/usr/local/opt/postgresql@{major}/bin",
    "/Applications/Postgres.app/Contents/Versions/{major}/bin",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A server that a lab may be made on.

    Attributes:
        name: What people call it.
        server: Starts it where it does not run yet; raises DatabaseError where it does not start.
        why: Why it is this one: "which dbguard started for the tests".
        no_forging: Why its files may not be changed; "" where they may.
        keeper: What stops the server when nobody refers to it any more; None where that is nobody of ours.
    """

    name: str
    server: Callable[[], Server]
    why: str
    no_forging: str = ""
    keeper: OwnServer | None = None

    @property
    def may_forge(self) -> bool:
        """Whether its files may be changed."""
        return not self.no_forging


class OwnServer:
    """A server that is there for labs alone: started when the first one needs it, stopped by `close`.

    Where nobody closes it, it stops when nobody refers to this object any more: labs on it do. It ends with this
    process in any case.
    """

    def __init__(self) -> None:
        self._server: Server | None = None
        self._failures: tuple[str, ...] = ()

    def start(self, options: StartOptions, major: int) -> Server:
        """Return the server: of the same major version as the tests' or production's where one is installed.

        Raises:
            DatabaseError: When none starts, saying what each way lacks.
        """
        if self._server is None:
            self._server = self._started(options, major)
            weakref.finalize(self, self._server.close)
        return self._server

    def close(self) -> None:
        """Stop it. Closing twice is allowed."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _started(self, options: StartOptions, major: int) -> Server:
        # nothing of it is kept, so that it needs no project
        plain = StartOptions(cache=options.cache, cache_mb=options.cache_mb)
        failures = list(self._failures)
        if not failures:
            for launch in _launches(plain, major):
                try:
                    return launch().ready()
                except DatabaseError as error:
                    failures.append(error.message.splitlines()[0])
            self._failures = tuple(dict.fromkeys(failures))
        raise DatabaseError("; ".join(self._failures))


def places(
    options: StartOptions, *, own: OwnServer, tests: Server | None, was_given: bool, consents: bool, major: int
) -> Iterator[Place]:
    """Yield the servers that a lab may be made on, the best first.

    Args:
        options: How a server is started.
        own: The one that is there for labs alone.
        tests: The server of the tests.
        was_given: Whether that is somebody else's.
        consents: Whether somebody else's files may be changed as well.
        major: Version that is preferred for a server that is started; 0 where none is.
    """
    if tests is not None and not was_given:
        yield Place(tests.kind, lambda: tests, "which dbguard started for the tests")
    if tests is not None and was_given and consents:
        yield Place("the tests' server", lambda: tests, "as the configuration allows")
    yield Place("a server of its own", lambda: own.start(options, major), "which dbguard started for plans", keeper=own)
    if tests is not None and was_given and not consents:
        told = "its files are not forged without consent (mode `server`)"
        yield Place("the tests' server", lambda: tests, "since no other one can be started here", told)


def _launches(options: StartOptions, major: int) -> Iterator[Callable[[], Launch]]:
    """Yield ways to start a server: installed programs of the preferred version, the wheel, any installed ones."""
    if major:
        yield lambda: _same_major(options, major)
    yield lambda: load_provider(EMBEDDED).launch(options)
    yield lambda: load_provider(LOCAL).launch(options)


def _same_major(options: StartOptions, major: int) -> Launch:
    user = server_user()
    named = {key: value for key, value in os.environ.items() if key == VARIABLE}
    places = [place.format(major=major) for place in _USUAL]
    # the directory that the user names, what is on the path, where packages lie: each by itself, for the newest wins
    for environ, usual in ((named, ()), ({"PATH": os.environ.get("PATH", "")}, ()), ({"PATH": ""}, places)):
        with suppress(DatabaseError):
            programs = find_local(user, environ, usual)
            if programs.major == major:
                return launch_server(LOCAL, programs, user, options)
    raise DatabaseError(f"PostgreSQL {major} is not installed here")
