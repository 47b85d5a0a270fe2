"""Copies whole SQLite databases without ever waiting for a lock."""

from __future__ import annotations

import sqlite3
from typing import Final

BUSY: Final = frozenset({5, 6})  # SQLITE_BUSY, SQLITE_LOCKED


class IsLocked(sqlite3.OperationalError):
    """Another connection holds a lock on the database."""


def in_memory() -> sqlite3.Connection:
    """Return an empty private database, for any thread."""
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def copy_database(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Make `target` hold exactly what `source` does.

    Raises:
        IsLocked: When a connection to either holds a lock. Python's `backup` by itself tries again for ever.
    """
    source.backup(target, progress=_refuse_to_wait, sleep=0)


def is_locked(error: sqlite3.Error) -> bool:
    """Tell whether an error says that another connection holds a lock."""
    return isinstance(error, IsLocked) or getattr(error, "sqlite_errorcode", 0) & 0xFF in BUSY


def _refuse_to_wait(status: int, _remaining: int, _total: int) -> None:
    if status in BUSY:
        raise IsLocked("database is locked")
