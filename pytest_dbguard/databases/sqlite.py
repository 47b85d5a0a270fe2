"""SQLite in memory, one database for all the engines of this process, sync and async."""

from __future__ import annotations

import secrets
import sqlite3
from typing import ClassVar

from sqlalchemy import URL

_MEMDB_SINCE = (3, 36)


class SqliteDatabase:
    """A named in-memory database, alive for as long as the connection that this object keeps."""

    kind: ClassVar[str] = "sqlite"

    def __init__(self, path: str, query: dict[str, str]) -> None:
        self.url = URL.create("sqlite", database=path, query={**query, "uri": "true"})
        self.async_url = self.url.set(drivername="sqlite+aiosqlite")
        self.version = sqlite3.sqlite_version
        uri = path + "?" + "&".join(f"{key}={value}" for key, value in query.items())
        self._keeper = sqlite3.connect(uri, uri=True, check_same_thread=False)

    def close(self) -> None:
        """Let the database go; its data is lost once the last engine lets go of it too."""
        self._keeper.close()


class SqliteProvider:
    """Starts in-memory SQLite databases; needs nothing but the standard library."""

    kind: ClassVar[str] = "sqlite"

    def available(self) -> str | None:
        """Return None: every Python that runs SQLAlchemy has SQLite."""
        return None

    def start(self) -> SqliteDatabase:
        """Start an empty database under a name that no other database of this process has."""
        return SqliteDatabase(*address(f"dbguard-{secrets.token_hex(6)}", sqlite3.sqlite_version_info))


def address(name: str, version: tuple[int, ...]) -> tuple[str, dict[str, str]]:
    """Return path and query of a shared in-memory database.

    The "memdb" file system waits for locks as a file does. Where SQLite is too old for it, a shared cache does,
    whose readers fail with "table is locked" instead of waiting: https://www.sqlite.org/sharedcache.html
    """
    if version >= _MEMDB_SINCE:
        return f"file:/{name}", {"vfs": "memdb"}
    return f"file:{name}", {"mode": "memory", "cache": "shared"}
