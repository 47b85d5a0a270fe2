"""Reads and writes `dbguard-stats.json`."""

from __future__ import annotations

from pathlib import Path

from pytest_dbguard.planning.statistics.model import Statistics


def read_statistics(path: Path) -> Statistics:
    """Return what a file says: `dbguard-stats.json`, or the output of `pg_dump --statistics-only`.

    Raises:
        ConfigError: When it cannot be read or understood; names the place in it.
    """
    raise NotImplementedError


def write_statistics(path: Path, statistics: Statistics) -> None:
    """Write the file atomically; the same statistics give the same bytes, and an unchanged file is not touched.

    Raises:
        ConfigError: When it cannot be written.
    """
    raise NotImplementedError
