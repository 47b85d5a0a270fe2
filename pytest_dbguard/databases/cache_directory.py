"""Where the user's cache is: what later runs start from lies there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE, S_ISDIR, S_IWGRP, S_IWOTH

VARIABLE = "DBGUARD_CACHE_DIR"
_NAME = "pytest-dbguard"
_LAST_RESORT = Path("/var/tmp")  # noqa: S108 - a private directory is made in it


def cache_directory(
    given: Path | None, environ: Mapping[str, str] = os.environ, last_resort: Path = _LAST_RESORT
) -> Path | None:
    """Return the first directory, made if need be, that nobody but us can write to; None when there is none.

    In turn: the given one, $DBGUARD_CACHE_DIR, the user's cache, and a private one that survives a restart.
    """
    for candidate in _candidates(given, environ, last_resort):
        with suppress(OSError):
            candidate.mkdir(mode=0o700, parents=True, exist_ok=True)
            if is_private(candidate) and os.access(candidate, os.W_OK | os.X_OK):
                return candidate
    return None


def is_private(directory: Path) -> bool:
    """Tell whether a directory, and a link that leads to it, is ours, and no other user can write to it.

    What lies there decides what a server of ours runs, so that a directory which somebody else prepared is not used.
    """
    link, status = directory.lstat(), directory.stat()
    ours = link.st_uid == status.st_uid == os.geteuid()
    return ours and S_ISDIR(status.st_mode) and not S_IMODE(status.st_mode) & (S_IWGRP | S_IWOTH)


def _candidates(given: Path | None, environ: Mapping[str, str], last_resort: Path) -> Iterator[Path]:
    if given is not None:
        yield given
    elif environ.get(VARIABLE):
        yield Path(environ[VARIABLE])
    else:
        base = environ.get("XDG_CACHE_HOME") or ""
        # a relative one is to be ignored, says the XDG Base Directory Specification
        with suppress(RuntimeError):  # no home
            yield (Path(base) if base.startswith("/") else Path.home() / ".cache") / _NAME
    yield last_resort / f"{_NAME}-{os.geteuid()}"
