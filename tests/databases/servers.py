"""What tests need of servers: one of our own, what a machine must have for others, and to see them end."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Iterable, Iterator

import pytest

from pytest_dbguard.databases.base import Server, StartOptions
from pytest_dbguard.databases.docker_engine import engine_client, missing_engine
from pytest_dbguard.databases.registry import load_provider


@contextlib.contextmanager
def embedded_server() -> Iterator[Server]:
    """Start an embedded server, and end it."""
    server = load_provider("postgres-embedded").launch(StartOptions()).ready()
    try:
        yield server
    finally:
        server.close()


def require(missing: str | None, demand: str) -> None:
    """Skip a test where the machine lacks what it needs; where the variable `demand` is set, that is a failure."""
    if missing is not None and not os.environ.get(demand):
        pytest.skip(missing)
    assert missing is None, missing


def docker_api():
    """Return what speaks to the Docker engine, where there is one."""
    # its client is a dependency of the tests: without it they fail
    import testcontainers  # noqa: F401

    require(missing_engine(), "DBGUARD_REQUIRE_CONTAINERS")
    return engine_client().client.api


def server_pid(directory) -> int:
    """Return the process number of the server in a private directory."""
    return int((directory / "data" / "postmaster.pid").read_text().split()[0])


def wait_for_end(*processes: int, seconds: float = 30.0) -> list[int]:
    """Wait until processes that are not our children have ended; return those that have not."""
    with contextlib.ExitStack() as stack:
        watched = dict(_watched(stack, processes))
        poll = select.poll()
        for descriptor in watched:
            poll.register(descriptor, select.POLLIN)
        while watched and (ended := poll.poll(seconds * 1000)):
            for descriptor, _ in ended:
                poll.unregister(descriptor)
                del watched[descriptor]
        return sorted(watched.values())


def _watched(stack: contextlib.ExitStack, processes: Iterable[int]) -> Iterator[tuple[int, int]]:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(process)
            stack.callback(os.close, descriptor)
            yield descriptor, process
