"""Lists and deletes files of ours: what later runs would start from, and SQLite databases of failed tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dbguard.databases.cache_directory import cache_directory
from pytest_dbguard.databases.server_launch import project_snapshots
from pytest_dbguard.databases.settings import start_options

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config

# ours alone in a directory of ours; a new one is written under another name and may be on its way
_EVERYBODYS = ("*.tar", "sqlite/*.db")
KEPT_FILES = Path(".dbguard", "kept")
"""Where the SQLite databases of failed tests are, below the root of their project."""


def kept_files(root: Path) -> list[Path]:
    """Return the SQLite databases of failed tests that a project keeps, the oldest first."""
    return sorted((root / KEPT_FILES).glob("*.db"), key=lambda path: path.stat().st_mtime)


def delete_snapshots(config: Config, root: Path, *, everybody: bool) -> Iterator[tuple[str, int]]:
    """Delete a project's snapshots and kept files; yield path and size in bytes of each.

    Runs that start from one right now are not disturbed: an open file stays whole until it is closed.

    Args:
        config: Its settings, which say where the cache is.
        root: The project.
        everybody: Also what all projects share, and what belongs to others.
    """
    paths = kept_files(root)
    directory = cache_directory(start_options(config, root).cache)
    if directory is not None:
        patterns = _EVERYBODYS if everybody else (f"{project_snapshots(root)}*.tar",)
        paths += sorted(path for pattern in patterns for path in directory.glob(pattern))
    for path in paths:
        with suppress(OSError):
            size_bytes = path.lstat().st_size
            path.unlink()
            yield str(path), size_bytes
