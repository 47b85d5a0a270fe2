"""A PostgreSQL server that stops, crashes, turns read-only and comes back at the same address."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psycopg
from sqlalchemy import URL

from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.parent_death import die_with_parent
from pytest_dbguard.databases.postgres_binaries import wheel_programs
from pytest_dbguard.databases.postgres_flags import server_settings
from pytest_dbguard.databases.postgres_server import PORT, SUPERUSER, socket_url
from pytest_dbguard.databases.programs import Programs
from pytest_dbguard.databases.server_directory import ServerDirectory
from pytest_dbguard.databases.server_process import Runner
from pytest_dbguard.databases.server_user import server_user
from tests.runtime.waiting import WATCHDOG_S, eventually

GUARDED = "guarded"
"""The role that must give a password; all others are let in by the socket."""

_ACCESS = f"""\
local all {GUARDED} scram-sha-256
local all all trust
local replication all trust
hostssl all all 127.0.0.1/32 trust
"""
_STREAMING: Mapping[str, str] = {
    "wal_level": "replica",
    "max_wal_senders": "10",
    "wal_keep_size": "100MB",
    "wal_retrieve_retry_interval": "50ms",
    "wal_receiver_status_interval": "1s",
    # the log position of a commit is told after it was written, as on servers that keep their data
    "synchronous_commit": "on",
    "max_connections": "100",
}


class RestartableServer:
    """A server in a private directory. It is reached by a socket there, and over TCP where a port is given."""

    def __init__(self, programs: Programs | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.user = server_user()
        self.programs = programs or wheel_programs(self.user)
        self.directory = ServerDirectory.create(self.user)
        self.settings = server_settings(self.programs.major) | _STREAMING | dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._is_read_only = False

    def __enter__(self) -> Self:
        """Make the data and start."""
        self.initialise()
        self.start()
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop and delete everything."""
        self.crash()
        self.directory.remove()

    @property
    def port(self) -> int:
        """Return the port, which also names the socket."""
        return int(self.settings.get("port", PORT))

    @property
    def socket(self) -> str:
        """Return the path of the socket, for a proxy to connect to."""
        return str(self.directory.path / f".s.PGSQL.{self.port}")

    @property
    def url(self) -> URL:
        """Return the address of the database "postgres" by the socket, for the superuser."""
        return socket_url(str(self.directory.path)).update_query_dict({"port": str(self.port)})

    @property
    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def initialise(self) -> None:
        """Make the data directory."""
        runner = Runner(self.programs, self.user)
        assert runner.initialise(self.directory).wait(WATCHDOG_S) == 0, self.directory.tail()
        self.write("pg_hba.conf", _ACCESS)

    def write(self, name: str, content: str, mode: int = 0o600) -> Path:
        """Put a file into the data directory, readable for the server alone."""
        path = self.directory.data / name
        path.write_text(content)
        path.chmod(mode)
        self.user.own(path)
        return path

    def start(self) -> None:
        """Start, and wait until connections are taken; nothing when it runs."""
        if not self.is_running:
            (self.directory.data / "postmaster.pid").unlink(missing_ok=True)
            command = [self.programs.directory / "postgres", "-D", self.directory.data, "-k", self.directory.path]
            options = {"listen_addresses": "", "port": str(self.port)} | self.settings
            for name, value in options.items():
                command += ["-c", f"{name}={value}"]
            self._process = self.spawn(command)
            eventually(self._is_ready, "the start of the server")

    def spawn(self, command: list[Any]) -> subprocess.Popen[bytes]:
        """Run a program as the server's user; it dies with us."""
        with self.directory.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.directory.path,
                env={key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),
                **self.user.popen_options(),
            )

    def stop(self) -> None:
        """Stop as an administrator does: sessions are told and ended, data are closed."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """Stop at once, as on a loss of power that the system survives."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def mend(self) -> None:
        """Bring back what a test has left stopped or read-only, and end the sessions that it has left: others count."""
        self.start()
        self.terminate_all()
        if self._is_read_only:
            self.make_read_only(False)

    def make_read_only(self, value: bool = True) -> None:
        """Let every transaction be read-only by default, also those of sessions that are open."""
        self.execute(f"ALTER SYSTEM SET default_transaction_read_only = {'on' if value else 'off'}")
        self._is_read_only = value
        self.execute("SELECT pg_reload_conf()")
        wanted = "on" if value else "off"
        # a new session that sees it was forked after all open ones had been told
        eventually(lambda: self.scalar("SHOW default_transaction_read_only") == wanted, "the change of the setting")

    def terminate_all(self) -> int:
        """End all sessions but our own, and wait for that; return how many there were."""
        query = "SELECT count(pg_terminate_backend(pid, 30000)) FROM pg_stat_activity"
        return self.scalar(f"{query} WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")

    def sessions(self) -> int:
        """Return how many sessions there are beside our own."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        return self.scalar(f"{query} AND pid <> pg_backend_pid()")

    def connect(self, database: str | None = None) -> psycopg.Connection[Any]:
        """Open a session of our own that commits each statement."""
        url = self.url if database is None else self.url.set(database=database)
        return psycopg.connect(connection_string(url), autocommit=True)

    def execute(self, statement: str, database: str | None = None) -> None:
        """Run one statement in a session of its own."""
        with self.connect(database) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def scalar(self, query: str, database: str | None = None) -> Any:
        """Return the first value that a query gives in a session of its own."""
        with self.connect(database) as connection:
            return connection.execute(query).fetchone()[0]  # type: ignore[call-overload,index]

    def remove_data(self) -> None:
        """Delete the data of a server that does not run."""
        shutil.rmtree(self.directory.data, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            self._process.send_signal(number)
            self._process.wait(WATCHDOG_S)

    def _is_ready(self) -> bool:
        assert self.is_running, self.directory.tail()
        try:
            lines = (self.directory.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"


def superuser_url(host: str, port: int, database: str = "postgres") -> URL:
    """Return an address over TCP."""
    return URL.create("postgresql+psycopg", username=SUPERUSER, host=host, port=port, database=database)
