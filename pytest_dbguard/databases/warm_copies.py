"""Keeps data directories of earlier runs in the user's cache, so that the next server starts from one."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.cache_directory import cache_directory
from pytest_dbguard.databases.server_user import ServerUser
from pytest_dbguard.databases.snapshot_file import open_private, pack, unpack

_SUFFIX = ".tar"
_NEW = ".new-"


@dataclass(frozen=True, slots=True)
class WarmCopies:
    """The copies in one directory, together never larger than a limit.

    Any number of runs may start from a copy at once, while another replaces it: a file is open or it is not, and a
    new one takes its name when it is whole.
    """

    directory: Path
    limit_bytes: int

    def unpack(self, name: str, data: Path, user: ServerUser) -> bool:
        """Make a data directory from the copy of this name; a copy that is not whole is thrown away.

        Returns:
            Whether it was made. Where not, remains of it may be there.
        """
        path = self._path(name)
        file = open_private(path)
        if file is None:
            return False
        with file:
            # the server needs room to write in besides
            if shutil.disk_usage(data.parent).free < 2 * os.fstat(file.fileno()).st_size:
                return False
            if unpack(file, data, user):
                with suppress(OSError):
                    os.utime(file.fileno())  # tells when it was used last
                return True
        self.discard(name)
        return False

    def save(self, name: str, data: Path) -> bool:
        """Keep the data of a stopped server under this name, in place of what was there; tell whether it was kept."""
        if not self.limit_bytes or _size_of(data) > self.limit_bytes:
            return False
        with self._locked() as is_ours:
            return is_ours and self._saved(name, data)

    def discard(self, name: str) -> None:
        """Throw a copy away."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}{_SUFFIX}"

    def _saved(self, name: str, data: Path) -> bool:
        for left in self.directory.glob(f"{_NEW}*"):  # by a run that was killed: only who holds the lock writes here
            left.unlink(missing_ok=True)
        new = self.directory / f"{_NEW}{secrets.token_hex(4)}"
        try:
            with os.fdopen(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
                if not pack(data, file):
                    return False
            new.replace(self._path(name))
        finally:
            new.unlink(missing_ok=True)
        self._trim()
        return self._path(name).exists()

    def _trim(self) -> None:
        """Delete the copies that were used longest ago until the others fit."""
        files = [(path, path.lstat()) for path in self.directory.glob(f"*{_SUFFIX}")]
        files.sort(key=lambda entry: entry[1].st_mtime_ns)
        total = sum(status.st_size for _, status in files)
        for path, status in files:
            if total <= self.limit_bytes:
                break
            path.unlink(missing_ok=True)
            total -= status.st_size

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """Hold the directory's lock; yields False when another run holds it: what that one keeps is as good."""
        lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
            # by closing alone a child that another thread has just forked would hold on to it
            fcntl.flock(lock, fcntl.LOCK_UN)
        finally:
            os.close(lock)


def warm_copies(
    options: StartOptions, directory: Callable[[Path | None], Path | None] = cache_directory
) -> WarmCopies | None:
    """Return the copies that a run with these options starts from; None when nothing is to be kept or can be."""
    if options.cache_mb <= 0:
        return None
    place = directory(options.cache)
    return None if place is None else WarmCopies(place, options.cache_mb << 20)


def _size_of(data: Path) -> int:
    return sum(Path(place, name).lstat().st_size for place, _, files in os.walk(data) for name in files)
