"""A server that somebody else started: another process of this run, or whoever gave its URL."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.connection_string import connection_string

if TYPE_CHECKING:
    from sqlalchemy import URL

CONNECT_S = 5


@dataclass(frozen=True)  # no slots: the version is asked for once
class JoinedServer:
    """A server by its address; closing it stops nothing."""

    kind: str
    url: URL
    is_ours: bool

    @cached_property
    def version(self) -> str:
        """The version, which the server is asked for when it is needed."""
        import psycopg

        try:
            with psycopg.connect(connection_string(self.url), connect_timeout=CONNECT_S) as connection:
                return (connection.info.parameter_status("server_version") or "").partition(" ")[0]
        except psycopg.Error as error:
            where = self.url.render_as_string(hide_password=True)
            raise DatabaseError(f"no connection to {where}: {str(error).strip()}") from error

    def close(self) -> None:
        """Leave it to who started it."""
