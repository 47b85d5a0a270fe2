"""One database on a PostgreSQL server, as this process sees it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Protocol

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Provider, Server, StartOptions
from pytest_dbguard.databases.connection_string import connection_string

if TYPE_CHECKING:
    from sqlalchemy import URL


class Closes(Protocol):
    """Something that ends."""

    def close(self) -> None:
        """End it; twice is allowed."""
        ...


class PostgresDatabase:
    """A database that was created for this process."""

    def __init__(self, kind: str, url: URL, version: str, owner: Closes | None) -> None:
        """`owner` is closed with the database: the server that was started for it, or what drops it."""
        self.kind = kind
        self.url = url
        self.async_url = url  # psycopg serves both
        self.version = version
        self._owner = owner

    def close(self) -> None:
        """Stop the server or drop the database, as agreed."""
        if self._owner is not None:
            self._owner.close()


def start_database(provider: Provider, options: StartOptions) -> PostgresDatabase:
    """Start a server with one empty database on it.

    Raises:
        DatabaseError: When the server does not start.
    """
    server = provider.launch(options).ready()
    try:
        return create_database(provider.kind, server.url, "dbguard", server)
    except BaseException:
        server.close()
        raise


def create_database(kind: str, server_url: URL, name: str, server: Server | None) -> PostgresDatabase:
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
