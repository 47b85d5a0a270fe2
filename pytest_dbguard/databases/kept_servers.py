"""Servers that go on after the run that started them: which there are, and how one is stopped."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.kept_mark import end_server, kept_mark, runs_in
from pytest_dbguard.databases.postgres_server import socket_url
from pytest_dbguard.databases.server_directory import bases, directories_in
from pytest_dbguard.databases.server_user import server_user

if TYPE_CHECKING:
    from sqlalchemy import URL

_STOP_S = 5.0
_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class KeptServer:
    """A server of ours that waits to be stopped by name."""

    url: URL
    kind: str
    directory: Path
    pid: int
    started: datetime
    project: Path | None


def kept_servers() -> list[KeptServer]:
    """Return the kept servers that run, the oldest first."""
    owners = {os.geteuid(), server_user().uid}
    directories = [path for base in bases() for path in directories_in(base, owners)]
    return sorted(filter(None, map(_kept, directories)), key=lambda server: server.started)


def stop_kept(
    server: KeptServer,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Stop a kept server and delete its data.

    Raises:
        DatabaseError: When it does not end.
    """
    data = server.directory / "data"
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        end_server(data, number)
        deadline = clock() + _STOP_S
        while runs_in(server.pid, data) and clock() < deadline:
            sleep(_POLL_S)
        if not runs_in(server.pid, data):
            shutil.rmtree(server.directory, ignore_errors=True)
            return
    raise DatabaseError(f"the server {server.pid} in '{server.directory}' does not end")


def _kept(directory: Path) -> KeptServer | None:
    mark = kept_mark(directory)
    if mark is None:
        return None
    project = None if mark.project is None else Path(mark.project)
    started = datetime.fromisoformat(mark.started)
    return KeptServer(socket_url(str(directory)), mark.kind, directory, mark.pid, started, project)
