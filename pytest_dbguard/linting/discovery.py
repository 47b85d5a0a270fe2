"""Finds the files to be read below directories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def discover(targets: Sequence[Path], root: Path, excludes: Sequence[str] = ()) -> tuple[Path, ...]:
    """Return the Python and SQL files of targets, sorted, each once.

    A file that is named is taken whatever it is called; directories are searched with all below them, but for those
    that hold no source of the project (`.git`, environments, caches, builds).

    Args:
        targets: Files and directories.
        root: Directory that excludes are relative to.
        excludes: Globs of paths below the root, as `PathGlob` reads them; they hold for files found, not for named.

    Raises:
        FileNotFoundError: For a target that is not there.
    """
    return ()
