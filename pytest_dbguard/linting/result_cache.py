"""Keeps what sources showed by their content, so that what did not change is not judged again."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from pytest_dbguard.core.files import write_atomically
from pytest_dbguard.databases.cache_directory import cache_directory

FORMAT: Final = 1
MAX_ENTRIES = 20_000
MAX_AGE_S = 30 * 86_400.0
_DIRECTORY = "lint"
_OURS = ("", "rules", "sql", "sql/facts", "sql/lint", "linting", "planning", "planning/candidates", "analysis")


def lint_directory(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the directory of results in the user's cache; None where there is none that only we can write to."""
    base = cache_directory(None, environ)
    return None if base is None else base / _DIRECTORY


def version_stamp() -> str:
    """Return what results of this installation have in common: its version, and when its modules were written."""
    package = Path(__file__).parent.parent
    written = [str((package / name).stat().st_mtime_ns) for name in _OURS]
    # with our version in it, for which nothing has to be asked that takes time
    version = (package / "__init__.py").read_bytes()
    return digest(str(FORMAT), version, sys.version, *written)


def digest(*parts: str | bytes) -> str:
    """Return a hash of parts that tells where one ends and the next begins."""
    found = sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
        found.update(f"{len(data)}:".encode())
        found.update(data)
    return found.hexdigest()


class ResultCache:
    """Results of one project by key, in one file. What cannot be read or written is nothing; never raises."""

    def __init__(self, directory: Path, root: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Open the cache of a project.

        Args:
            directory: Where it lies; made when something is kept.
            root: The project.
            clock: Gives seconds since 1970.
        """
        self._path = directory / f"{digest(str(root))[:16]}.json"
        self._clock = clock
        self._known: dict[str, Any] = self._read()
        self._used: set[str] = set()
        self._new: dict[str, Any] = {}

    def get(self, key: str) -> Any | None:
        """Return what was kept under a key; None for nothing."""
        entry = self._known.get(key)
        if entry is None:
            return None
        self._used.add(key)
        return entry["result"]

    def keep(self, key: str, result: Mapping[str, Any]) -> None:
        """Keep a result; `save` writes it."""
        self._new[key] = result

    def save(self) -> None:
        """Write what was kept beside what others wrote meanwhile, without what nobody has used for a month."""
        if not self._new:
            return
        now = round(self._clock())
        entries = self._read()
        entries |= {key: {"used": now, "result": result} for key, result in self._new.items()}
        for key in self._used & entries.keys():
            entries[key] = {**entries[key], "used": now}
        with suppress(OSError, ValueError):
            make_directory(self._path.parent)
            document = {"format": FORMAT, "entries": dict(_newest(entries, now))}
            write_atomically(self._path, json.dumps(document, separators=(",", ":")))

    def _read(self) -> dict[str, Any]:
        try:
            document = json.loads(self._path.read_bytes())
            entries = document["entries"] if document["format"] == FORMAT else {}
            return {key: each for key, each in entries.items() if isinstance(each["used"], int) and "result" in each}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}


def make_directory(directory: Path) -> None:
    """Make a directory that backups and version control leave alone.

    Raises:
        OSError: When it cannot be made.
    """
    if directory.is_dir():
        return
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n", "ascii")
    (directory / ".gitignore").write_text("*\n", "ascii")


def _newest(entries: Mapping[str, Any], now: float) -> Iterable[tuple[str, Any]]:
    young = [item for item in entries.items() if now - item[1]["used"] < MAX_AGE_S]
    return sorted(young, key=lambda item: (-item[1]["used"], item[0]))[:MAX_ENTRIES]
