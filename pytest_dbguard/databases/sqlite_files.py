"""Files of SQLite databases that belong to this process: claimed by a lock, marked, and never anybody else's."""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from pytest_dbguard.core.errors import DatabaseError

APPLICATION_ID: Final = 0x64626764
"""`PRAGMA application_id` of our files: "dbgd"."""

_CLAIM = "-dbguard"
_COMPANIONS = ("", "-wal", "-shm", "-journal")
# https://www.sqlite.org/fileformat.html#the_database_header
_MAGIC = b"SQLite format 3\x00"
_ID_AT = slice(68, 72)


class FileClaim:
    """A database file that is this process's alone for as long as it holds the lock of the small file beside it.

    The lock ends with the process, however it ends: what is left then is anybody's to delete.
    """

    def __init__(self, path: Path, lock: int) -> None:
        """Take over an open file with its lock; use `claim`."""
        self.path = path
        self._lock: int | None = lock

    def wipe(self) -> None:
        """Delete the database, and what SQLite keeps beside it. Who has it open goes on with a file without a name."""
        for companion in _COMPANIONS:
            _beside(self.path, companion).unlink(missing_ok=True)

    def release(self) -> None:
        """Delete the database and let the name go. Releasing twice is allowed."""
        if self._lock is not None:
            self.wipe()
            _beside(self.path, _CLAIM).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None


def claim(path: Path) -> FileClaim | None:
    """Return the claim to a file that does not exist any more; None while another process that lives has it.

    Raises:
        DatabaseError: When there is a file that we did not make, or none can be made.
    """
    try:
        lock = _locked(_beside(path, _CLAIM))
    except OSError as error:
        raise DatabaseError(
            f"no database can be made at '{path}': {error.strerror}", hint="name another file in the URL"
        ) from error
    if lock is None:
        return None
    claimed = FileClaim(path, lock)
    if not _is_ours(path):
        _beside(path, _CLAIM).unlink(missing_ok=True)
        os.close(lock)
        raise DatabaseError(
            f"'{path}' is there already, and dbguard did not make it: it is left alone",
            hint="name a file in the URL that does not exist; tests get a new one each time",
        )
    claimed.wipe()
    return claimed


def file_of(given: Path, name: str) -> Path:
    """Return the file beside the given one for the database of a name, "dbguard_<run>_<worker>_<label>"."""
    return given.with_name(f"{given.stem}-{name.removeprefix('dbguard_')}{given.suffix}")


def sweep_files(given: Path) -> list[Path]:
    """Delete what runs that were killed have left of a file and of those beside it; return what was deleted."""
    beside = re.compile(rf"{re.escape(given.stem)}-[0-9a-f]{{8}}_.+{re.escape(given.suffix)}{_CLAIM}", re.DOTALL)
    swept = []
    for note in sorted(given.parent.glob(f"*{_CLAIM}")):
        path = note.with_name(note.name.removesuffix(_CLAIM))
        if path == given or beside.fullmatch(note.name):
            with suppress(OSError, DatabaseError):
                left = _left(path, is_named_by_us=path != given)
                if left is not None:
                    left.release()
                    swept.append(path)
    return swept


def _left(path: Path, *, is_named_by_us: bool) -> FileClaim | None:
    if not is_named_by_us:
        return claim(path)
    lock = _locked(_beside(path, _CLAIM))
    return None if lock is None else FileClaim(path, lock)


def _locked(note: Path) -> int | None:
    """Return the open file with its lock; None while somebody else has it."""
    while True:
        lock = os.open(note, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), note.lstat()):
                return lock
        os.close(lock)  # its holder has deleted it before we had the lock


def _is_ours(path: Path) -> bool:
    """Tell whether there is no file, an empty one, or one with our mark, without opening it as a database."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return not header or (header.startswith(_MAGIC) and header[_ID_AT] == APPLICATION_ID.to_bytes(4, "big"))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
