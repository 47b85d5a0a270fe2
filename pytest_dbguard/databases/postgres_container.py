"""PostgreSQL in a container, on any image that takes the official one's variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import missing_driver
from pytest_dbguard.databases.container_server import ContainerLaunch
from pytest_dbguard.databases.docker_engine import missing_engine
from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.databases.postgres_database import PostgresDatabase, start_database

if TYPE_CHECKING:
    from sqlalchemy import URL

IMAGE: Final = "postgres:18"
_DEFAULTS: Final = StartOptions()


class ContainerPostgresProvider:
    """Starts a container, data in memory, on a port of this machine and with a random password."""

    kind: ClassVar[str] = "postgres-container"

    def available(self, options: StartOptions = _DEFAULTS) -> str | None:
        """Return what is missing: testcontainers, the driver, or a Docker engine that answers."""
        return missing_engine() or missing_driver("postgres")

    def launch(self, options: StartOptions = _DEFAULTS) -> ContainerLaunch:
        """Begin to start a container."""
        reason = self.available(options)
        if reason is not None:
            raise DatabaseError(f"the database {self.kind!r} cannot start: {reason}")
        return ContainerLaunch(self.kind, options.image or IMAGE, options)

    def join(self, url: URL) -> JoinedServer:
        """Return the server that another process of this run has started."""
        return JoinedServer(self.kind, url, is_ours=True)

    def start(self, options: StartOptions = _DEFAULTS) -> PostgresDatabase:
        """Start a server with one empty database on it."""
        return start_database(self, options)
