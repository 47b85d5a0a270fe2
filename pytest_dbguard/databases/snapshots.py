"""Deletes what later runs would start from: snapshots of data directories, and files of SQLite templates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dbguard.databases.cache_directory import cache_directory
from pytest_dbguard.databases.settings import start_options

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config

# ours alone in a directory of ours; a new one is written under another name and may be on its way
_PATTERNS = ("*.tar", "sqlite/*.db")


def delete_snapshots(config: Config, root: Path) -> Iterator[tuple[str, int]]:
    """Delete the snapshots in the cache; yield path and size in bytes of each.

    Runs that start from one right now are not disturbed: an open file stays whole until it is closed.
    """
    directory = cache_directory(start_options(config, root).cache)
    if directory is None:
        return
    for path in sorted(path for pattern in _PATTERNS for path in directory.glob(pattern)):
        with suppress(OSError):
            size_bytes = path.lstat().st_size
            path.unlink()
            yield str(path), size_bytes
