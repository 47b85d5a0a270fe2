"""The private directory that a server keeps its data, socket and log in, and what killed runs left of theirs."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.kept_mark import end_server, kept_mark
from pytest_dbguard.databases.server_user import ServerUser

PREFIX = "dbguard-pg-"
_LOCK = "owner.lock"
_MEMORY = Path("/dev/shm")  # noqa: S108 - a private directory is made in it
_ROOM_BYTES = 512 * 1024 * 1024
_SOCKET_PATH_MAX = 100  # sun_path holds 104 to 108 bytes


class ServerDirectory:
    """A new directory that only the server's user can enter, deleted by `remove`.

    As long as this process lives it holds a lock in the directory; a directory whose lock is free was left by a
    process that was killed.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.data = path / "data"
        self.log = path / "server.log"
        self._lock = lock

    @classmethod
    def create(cls, user: ServerUser) -> ServerDirectory:
        """Make the directory where it is fastest, after deleting what killed runs left there.

        Raises:
            DatabaseError: When no temporary directory serves.
        """
        places = list(bases())
        for base in places:
            sweep(base, {os.geteuid(), user.uid})
        for base in places:
            if _fits(base, user):
                return cls._in(base, user)
        raise DatabaseError(
            f"no directory for a database server among {', '.join(repr(str(base)) for base in places)}",
            hint=f"set TMPDIR to a short path that {user.name} can enter, with {_ROOM_BYTES >> 20} MB free",
        )

    @classmethod
    def _in(cls, base: Path, user: ServerUser) -> ServerDirectory:
        # Locked before it gets the name that `sweep` looks for: no moment at which it looks left behind.
        new = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=base))
        lock = os.open(new / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        user.own(new)
        path = base / new.name.removeprefix(".")
        new.rename(path)
        return cls(path, lock)

    def tail(self, lines: int = 12) -> str:
        """Return the last lines of the server's log."""
        with suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    def remove(self) -> None:
        """Delete the directory with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def sweep(base: Path, owners: Iterable[int]) -> None:
    """Delete the directories in `base` whose owner was killed.

    Touches nothing of other users, of living runs, or of servers that are to be kept.
    """
    for path in directories_in(base, owners):
        with suppress(OSError, DatabaseError):
            _sweep_one(path)


def directories_in(base: Path, owners: Iterable[int]) -> list[Path]:
    """Return the directories of servers in `base` that belong to these users."""
    trusted = set(owners)
    with suppress(OSError), os.scandir(base) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if entry.name.startswith(PREFIX)
            and entry.is_dir(follow_symlinks=False)
            and entry.stat(follow_symlinks=False).st_uid in trusted
        ]
    return []


def _sweep_one(path: Path) -> None:
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # OSError: its run is alive
        if kept_mark(path) is None:
            end_server(path / "data", signal.SIGQUIT)
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)


def bases() -> Iterator[Path]:
    """Yield the places where servers have their directories, the fastest first."""
    named = (_MEMORY, Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))  # noqa: S108
    yield from dict.fromkeys(base for base in named if base.is_dir())


def _fits(base: Path, user: ServerUser) -> bool:
    longest = base / f"{PREFIX}12345678" / ".s.PGSQL.5432"
    return (
        len(os.fsencode(longest)) <= _SOCKET_PATH_MAX
        and os.access(base, os.W_OK | os.X_OK)
        and user.can_enter(base)
        and shutil.disk_usage(base).free > _ROOM_BYTES
    )
