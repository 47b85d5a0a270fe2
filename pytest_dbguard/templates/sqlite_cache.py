"""Keeps SQLite templates in the user's cache, so that other workers and the next run need not build them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.cache_directory import cache_directory
from pytest_dbguard.databases.sqlite_copy import copy_database, in_memory

_DIRECTORY = "sqlite"
_SUFFIX = ".db"
_NEW = ".new-"
_KEPT = 32
_DIGEST = 16


@dataclass(frozen=True, slots=True)
class SqliteCache:
    """Database files named by the key of the template and a digest of the file, together never larger than a limit.

    A file takes its name when it is whole, and is read at once: any number of runs may use the directory.
    """

    directory: Path
    limit_bytes: int

    def get(self, key: str) -> sqlite3.Connection | None:
        """Return a copy in memory of a template; a file that is not what was once written is thrown away."""
        for path in self.directory.glob(f"{key}-*{_SUFFIX}"):
            with suppress(OSError, sqlite3.Error):
                image = _read(path)
                if image is not None:
                    os.utime(path)  # tells when it was used last
                    return image
            path.unlink(missing_ok=True)
        return None

    def put(self, key: str, image: sqlite3.Connection) -> None:
        """Keep a template; what was used longest ago goes to make room. Without room or rights nothing is kept."""
        new = self.directory / f"{_NEW}{secrets.token_hex(8)}"
        with suppress(OSError, sqlite3.Error):
            try:
                os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                _write(new, image)
                if new.stat().st_size <= self.limit_bytes:
                    new.replace(self.directory / f"{key}-{_digest(new)}{_SUFFIX}")
            finally:
                new.unlink(missing_ok=True)
            self._trim()

    @contextmanager
    def building(self, key: str) -> Iterator[None]:
        """Wait until no other process builds the template."""
        number = int(key[:2], 16)
        # a handful of files for all keys: locks that are deleted when they are free would be two locks to some
        lock = os.open(self.directory / f"lock-{number % 16:x}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _trim(self) -> None:
        files = [(path, path.lstat()) for path in self.directory.glob(f"*{_SUFFIX}")]
        files.sort(key=lambda entry: entry[1].st_mtime_ns, reverse=True)
        total = 0
        for number, (path, status) in enumerate(files):
            total += status.st_size
            if number >= _KEPT or total > self.limit_bytes:
                path.unlink(missing_ok=True)


def sqlite_cache(options: StartOptions) -> SqliteCache | None:
    """Return the cache that a run with these options starts from; None when nothing is to be kept or can be."""
    if options.cache_mb <= 0:
        return None
    user = cache_directory(options.cache)
    if user is None:
        return None
    directory = user / _DIRECTORY
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return SqliteCache(directory, options.cache_mb << 20)


def _read(path: Path) -> sqlite3.Connection | None:
    if not path.stem.endswith(f"-{_digest(path)}"):
        return None
    image = in_memory()
    # "immutable": nothing is written beside it, whatever journal it has had
    source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        copy_database(source, image)
    except sqlite3.Error:
        image.close()
        raise
    finally:
        source.close()
    return image


def _write(path: Path, image: sqlite3.Connection) -> None:
    target = sqlite3.connect(path, isolation_level=None)
    try:
        target.execute("PRAGMA synchronous = OFF")  # the digest tells what a crash has spoiled
        copy_database(image, target)
    finally:
        target.close()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGEST]
