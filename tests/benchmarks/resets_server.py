"""The PostgreSQL server that all rows share, and how long a server of each provider takes to start."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL


@contextmanager
def running_server(cache: Path) -> Iterator[URL]:
    """Run a server as dbguard's own are run: the same program, the same flags, the same file system."""
    from pytest_dbguard.databases.base import StartOptions
    from pytest_dbguard.databases.registry import load_provider

    provider, options = load_provider("postgres-embedded"), StartOptions(cache=cache)
    reason = provider.available(options)
    if reason is not None:
        sys.exit(f"no server to compare on: {reason}")
    server = provider.launch(options).ready()
    try:
        yield server.url
    finally:
        server.close()


def flags_of(url: URL) -> str:
    """Return the settings that the server was started with, for another server to be started alike."""
    import psycopg

    from pytest_dbguard.databases.connection_string import connection_string

    own = ("data_directory", "listen_addresses", "unix_socket_directories", "port", "config_file")
    query = "SELECT name, setting || coalesce(unit, '') FROM pg_settings WHERE source = 'command line'"
    with psycopg.connect(connection_string(url)) as connection:
        rows = connection.execute(query).fetchall()
    pages = {"8kB": 8}
    return " ".join(f"-c {name}={_without_pages(value, pages)}" for name, value in rows if name not in own)


def _without_pages(value: str, units: dict[str, int]) -> str:
    """Return a setting in a unit that the command line takes: the view counts memory in pages."""
    for unit, kilobytes in units.items():
        if value.endswith(unit):
            return f"{int(value.removesuffix(unit)) * kilobytes}kB"
    return value


def server_process(url: URL) -> int:
    """Return the process number of the server itself."""
    import psycopg

    from pytest_dbguard.databases.connection_string import connection_string

    with psycopg.connect(connection_string(url)) as connection:
        # the first line of this file, which the superuser may read
        (text,) = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone() or ("",)
    return int(text.split()[0])


def main() -> None:
    """Start one server and print the milliseconds until it takes connections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind")
    parser.add_argument("cache", type=Path)
    parser.add_argument("project", type=Path)
    parser.add_argument("--image")
    parser.add_argument("--url")
    options = parser.parse_args()
    from pytest_dbguard.databases.base import StartOptions
    from pytest_dbguard.databases.registry import load_provider

    start = StartOptions(options.url, options.image, project=options.project, cache=options.cache)
    started = time.perf_counter()
    server = load_provider(options.kind).launch(start).ready()
    print(1000 * (time.perf_counter() - started))
    server.close()


if __name__ == "__main__":
    main()
