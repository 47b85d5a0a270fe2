"""A PostgreSQL server of our own: a socket in a private directory, stopped with all its data."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_dbguard.databases.connection_string import DRIVER, connection_string
from pytest_dbguard.databases.server_directory import ServerDirectory

if TYPE_CHECKING:
    from sqlalchemy import URL

SUPERUSER = "postgres"
PORT = 5432  # names the socket; nothing listens on the network
_STOP_S = 5.0

__all__ = ["PORT", "SUPERUSER", "PostgresServer", "connection_string", "socket_url"]


class PostgresServer:
    """A running server; it dies with this process unless it was started to be kept."""

    is_ours = True

    def __init__(
        self,
        kind: str,
        version: str,
        process: subprocess.Popen[bytes],
        directory: ServerDirectory,
        keep_data: Callable[[], object],
    ) -> None:
        self.kind = kind
        self.version = version
        self._process = process
        self._directory = directory
        self._keep_data = keep_data
        self._owner = os.getpid()
        self._closed = False

    @property
    def url(self) -> URL:
        """Return the address of the server's maintenance database."""
        return socket_url(str(self._directory.path))

    @property
    def pid(self) -> int:
        """Return the process number of the server."""
        return self._process.pid

    def save(self) -> None:
        """Stop the server and keep its databases for the next run of the same project."""
        if not self._is_forked and not self._closed and self._end() and self._process.returncode == 0:
            self._keep_data()

    def close(self) -> None:
        """Stop the server, politely first, and delete its data. A forked child of the owner stops nothing."""
        if self._is_forked or self._closed:
            return
        self._closed = True
        self._end()
        self._directory.remove()

    stop = close

    @property
    def _is_forked(self) -> bool:
        return os.getpid() != self._owner

    def _end(self) -> bool:
        """End the process; tell whether it closed its data properly."""
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self._process.send_signal(number)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                continue
            return number == signal.SIGINT
        return False


def socket_url(directory: str) -> URL:
    """Return the address of a server's maintenance database by the directory of its socket."""
    from sqlalchemy import URL

    # the port is told because $PGPORT would be taken otherwise
    query = {"host": directory, "port": str(PORT)}
    return URL.create(DRIVER, username=SUPERUSER, database="postgres", query=query)
