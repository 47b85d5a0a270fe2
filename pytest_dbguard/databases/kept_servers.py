"""Servers that go on after the run that started them: which there are, and how one is stopped."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.container_address import container_url
from pytest_dbguard.databases.container_spec import KEPT, PROJECT
from pytest_dbguard.databases.docker_engine import engine_client, engine_error, missing_engine
from pytest_dbguard.databases.kept_mark import end_server, kept_mark, runs_in
from pytest_dbguard.databases.postgres_server import socket_url
from pytest_dbguard.databases.server_directory import bases, directories_in
from pytest_dbguard.databases.server_user import server_user

if TYPE_CHECKING:
    from sqlalchemy import URL
    from testcontainers.core.docker_client import DockerClient

_STOP_S = 5.0
_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class KeptServer:
    """A server of ours that waits to be stopped by name."""

    kind: str
    url: URL
    started: datetime
    project: Path | None
    directory: Path | None = None
    """Where its data is; None for a container."""

    pid: int | None = None
    container: str | None = None
    """The container's identifier."""


def kept_servers() -> list[KeptServer]:
    """Return the kept servers that run, the oldest first."""
    return sorted([*_processes(), *_containers()], key=lambda server: server.started)


def stop_kept(
    server: KeptServer,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Stop a kept server and delete its data; nothing when it has ended already.

    Raises:
        DatabaseError: When it does not end.
    """
    if server.container is not None:
        _remove_container(server.container)
    elif server.directory is not None and server.pid is not None:
        _stop_process(server.pid, server.directory, clock, sleep)


def _processes() -> Iterator[KeptServer]:
    owners = {os.geteuid(), server_user().uid}
    for directory in [path for base in bases() for path in directories_in(base, owners)]:
        mark = kept_mark(directory)
        if mark is not None:
            project = None if mark.project is None else Path(mark.project)
            started = datetime.fromisoformat(mark.started)
            yield KeptServer(mark.kind, socket_url(str(directory)), started, project, directory, mark.pid)


def _containers() -> list[KeptServer]:
    if missing_engine() is not None:
        return []
    try:
        client = engine_client()
        entries = client.client.api.containers(filters={"label": KEPT})
        return [server for entry in entries if (server := _kept_container(client, entry)) is not None]
    except engine_error():  # an engine that answers with errors has none to show
        return []


def _kept_container(client: DockerClient, entry: Mapping[str, Any]) -> KeptServer | None:
    url = container_url(client, client.client.api.inspect_container(entry["Id"]))
    if url is None:
        return None
    labels = entry["Labels"]
    project = Path(labels[PROJECT]) if PROJECT in labels else None
    started = datetime.fromisoformat(labels[KEPT])
    return KeptServer("postgres-container", url, started, project, container=entry["Id"])


def _stop_process(pid: int, directory: Path, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
    data = directory / "data"
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        end_server(data, number)
        deadline = clock() + _STOP_S
        while runs_in(pid, data) and clock() < deadline:
            sleep(_POLL_S)
        if not runs_in(pid, data):
            shutil.rmtree(directory, ignore_errors=True)
            return
    raise DatabaseError(f"the server {pid} in '{directory}' does not end", hint="look at it with ps")


def _remove_container(identifier: str) -> None:
    try:
        api = engine_client().client.api
        if api.containers(all=True, filters={"id": identifier}):
            api.remove_container(identifier, force=True, v=True)
    except engine_error() as error:
        raise DatabaseError(f"the container {identifier[:12]} is not removed: {error}", hint="docker rm -f") from error
