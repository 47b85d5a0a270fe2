"""How many connections the application may open to each server, all its processes together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_dbguard.databases.connection_string import hosts_of
from pytest_dbguard.runtime.settings.database_url import DatabaseUrl
from pytest_dbguard.runtime.settings.roles import Target

if TYPE_CHECKING:
    from pytest_dbguard.runtime.settings.model import DatabaseSettings

_PORT = 5432


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of one server."""

    server: str
    """Host and port, or the socket."""

    targets: tuple[Target, ...]
    """What leads to it."""

    processes: int
    per_process: int
    """Most connections of one process: size and overflow of all pools that lead there."""

    @property
    def connections(self) -> int:
        """Most connections of all processes together."""
        return self.processes * self.per_process


def demands(settings: DatabaseSettings) -> tuple[Demand, ...]:
    """Return what is asked of each PostgreSQL server; SQLite takes as many as there are.

    A role of which nothing is said takes the primary's connections, and has no pool of its own. Engines of both kinds,
    synchronous and asynchronous, in one process ask for twice as much.
    """
    by_server: dict[str, list[Target]] = {}
    for target in settings.targets():
        if target.url.backend == "postgresql":
            by_server.setdefault(server_of(target.url), []).append(target)
    return tuple(
        Demand(server, tuple(targets), settings.processes, sum(_most(settings, target) for target in targets))
        for server, targets in by_server.items()
    )


def server_of(url: DatabaseUrl) -> str:
    """Return the address of the server, the same for all URLs that lead to it in the same words."""
    revealed = url.reveal()
    hosts = sorted(hosts_of(revealed)) or ["the local socket"]
    port = revealed.query.get("port") or revealed.port or _PORT
    return f"{','.join(hosts)}:{port if isinstance(port, str | int) else ','.join(port)}"


def _most(settings: DatabaseSettings, target: Target) -> int:
    pool = settings.pool_of(target.role)
    return pool.size + pool.overflow
