"""Finds the files to be read below directories."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_dbguard.config.path_globs import PathGlob

SUFFIXES = frozenset({".py", ".pyw", ".sql", ".ddl", ".pgsql", ".psql", ".mysql"})
_NO_SOURCES = frozenset(
    {"__pycache__", "__pypackages__", "_build", "buck-out", "build", "dist", "node_modules", "site-packages", "venv"}
)


def discover(targets: Sequence[Path], root: Path, excludes: Sequence[str] = ()) -> tuple[Path, ...]:
    """Return the Python and SQL files of targets, sorted, each once.

    A file that is named is taken whatever it is called; directories are searched with all below them, but for those
    that hold no source of the project (hidden ones, environments, caches, builds). Links to directories are not
    followed, and directories that may not be read are left out.

    Args:
        targets: Files and directories.
        root: Directory that excludes are relative to.
        excludes: Globs of paths below the root, as `PathGlob` reads them; they hold for files found, not for named.

    Raises:
        FileNotFoundError: For a target that is not there.
    """
    globs = tuple(map(PathGlob, excludes))
    found: set[Path] = set()
    for target in targets:
        if target.is_dir():
            found.update(_below(target, root, globs))
        elif target.exists():
            found.add(target)
        else:
            raise FileNotFoundError(target)
    return tuple(sorted(found))


def _below(directory: Path, root: Path, globs: Sequence[PathGlob]) -> Iterator[Path]:
    for above, directories, files in os.walk(directory):
        directories[:] = [name for name in directories if _is_searched(above, name, root, globs)]
        for name in files:
            if os.path.splitext(name)[1].lower() in SUFFIXES and not _is_excluded(above, name, root, globs):
                yield Path(above, name)


def _is_searched(above: str, name: str, root: Path, globs: Sequence[PathGlob]) -> bool:
    if name.startswith(".") or name in _NO_SOURCES or name.endswith(".egg-info"):
        return False
    is_environment = os.path.exists(os.path.join(above, name, "pyvenv.cfg"))
    return not is_environment and not _is_excluded(above, name, root, globs)


def _is_excluded(above: str, name: str, root: Path, globs: Sequence[PathGlob]) -> bool:
    if not globs:
        return False
    path = os.path.relpath(os.path.join(above, name), root).replace(os.sep, "/")
    return any(glob.matches(path) for glob in globs)
