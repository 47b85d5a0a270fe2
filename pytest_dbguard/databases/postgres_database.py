"""One database on a PostgreSQL server."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.postgres_server import PostgresServer, connection_string

if TYPE_CHECKING:
    from sqlalchemy import URL


class PostgresDatabase:
    """A database that was created for this process; closing it stops the server if this process started it."""

    def __init__(self, kind: str, url: URL, version: str, server: PostgresServer | None) -> None:
        self.kind = kind
        self.url = url
        self.async_url = url  # psycopg serves both
        self.version = version
        self._server = server

    def close(self) -> None:
        """Stop the server if it is ours."""
        if self._server is not None:
            self._server.stop()


def create_database(kind: str, server_url: URL, name: str, server: PostgresServer | None) -> PostgresDatabase:
    """Create a database on the server, under the name and a random suffix.

    Raises:
        DatabaseError: When the server cannot be reached or refuses.
    """
    import psycopg
    from psycopg import sql

    unique = f"{name}_{secrets.token_hex(4)}"
    try:
        with psycopg.connect(connection_string(server_url), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unique)))
            version = connection.info.parameter_status("server_version") or ""
    except psycopg.Error as error:
        where = server_url.render_as_string(hide_password=True)
        raise DatabaseError(f"no database can be created at {where}: {str(error).strip()}") from error
    return PostgresDatabase(kind, server_url.set(database=unique), version.split()[0], server)
