"""SQLite: databases in memory or in files, each for all the engines of this process, sync and async."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.sqlite_copy import copy_database
from pytest_dbguard.databases.sqlite_files import FileClaim, claim, file_of, sweep_files

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEMDB_SINCE = (3, 36)
_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"})
_DEFAULTS = StartOptions()


class OwnConnection(sqlite3.Connection):
    """A connection that is ours and no test's."""


class SqliteDatabase:
    """A named in-memory database, alive for as long as the connection that this object keeps; or a file of ours."""

    kind: ClassVar[str] = "sqlite"

    def __init__(self, path: str, query: Mapping[str, str], file: FileClaim | None = None) -> None:
        """Make an empty database; `path` and `query` as in a URL of SQLAlchemy."""
        self.url = URL.create("sqlite", database=path, query={**query, "uri": "true"} if query else {})
        self.async_url = self.url.set(drivername="sqlite+aiosqlite")
        self.version = sqlite3.sqlite_version
        self._file = file
        self._address = path + "?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else path
        self._keeper = self.connect() if file is None else None

    @property
    def is_file(self) -> bool:
        """Whether other processes can open it."""
        return self._file is not None

    @property
    def shares_cache(self) -> bool:
        """Whether its connections are one to SQLite, as in versions that have no "memdb"."""
        return self.url.query.get("cache") == "shared"

    def connect(self) -> sqlite3.Connection:
        """Return a new driver connection, for any thread, which begins no transactions and waits for no lock."""
        return sqlite3.connect(
            self._address,
            uri="?" in self._address and self._file is None,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
            factory=OwnConnection,
            cached_statements=1024,
        )

    def load(self, image: sqlite3.Connection) -> None:
        """Make a database that nobody uses yet hold what another one holds."""
        connection = self.connect()
        try:
            connection.execute("PRAGMA synchronous = OFF")
            copy_database(image, connection)
            if self._file is not None:
                # readers then see the last commit while somebody writes, as on PostgreSQL
                connection.execute("PRAGMA journal_mode = WAL").fetchall()
        finally:
            connection.close()

    def replace(self, image: sqlite3.Connection) -> bool:
        """Put a new file in the place of one that is locked; False where there is no file."""
        if self._file is None:
            return False
        self._file.wipe()
        self.load(image)
        return True

    def close(self) -> None:
        """Delete the file; in memory let the data go with the last engine that lets go of it."""
        if self._keeper is not None:
            self._keeper.close()
        if self._file is not None:
            self._file.release()


class SqliteServer:
    """This process, which has SQLite in it."""

    kind: ClassVar[str] = "sqlite"
    is_ours: ClassVar[bool] = True

    def __init__(self, options: StartOptions, file: Path | None) -> None:
        """Make databases in memory, or at and beside `file`."""
        self.options = options
        self.file = file
        self.url = URL.create("sqlite", database=None if file is None else str(file))
        self.version = sqlite3.sqlite_version

    def create(self, name: str, *, is_only: bool = False) -> SqliteDatabase:
        """Return an empty database of that name; `is_only` gives it the file itself, unless another run has that.

        Raises:
            DatabaseError: When the file is somebody else's.
        """
        if self.file is None:
            return SqliteDatabase(*address(f"{name}-{secrets.token_hex(4)}", sqlite3.sqlite_version_info))
        claimed = claim(self.file) if is_only else None
        if claimed is None:
            claimed = claim(file_of(self.file, name))
        if claimed is None:
            raise DatabaseError(f"the database {name!r} beside '{self.file}' is in use by another process")
        return SqliteDatabase(str(claimed.path), {}, claimed)

    def close(self) -> None:
        """Delete what workers of this run that were killed have left; closing twice is allowed."""
        if self.file is not None:
            sweep_files(self.file)


class SqliteLaunch:
    """A server that is there at once."""

    def __init__(self, server: SqliteServer) -> None:
        self._server = server

    def ready(self) -> SqliteServer:
        """Return it."""
        return self._server

    def abandon(self) -> None:
        """Do nothing: nothing runs."""


class SqliteProvider:
    """Makes SQLite databases; needs nothing but the standard library."""

    kind: ClassVar[str] = "sqlite"

    def available(self, options: StartOptions = _DEFAULTS) -> str | None:
        """Return None: every Python that runs SQLAlchemy has SQLite."""
        return None

    def launch(self, options: StartOptions = _DEFAULTS) -> SqliteLaunch:
        """Delete what killed runs have left of the file, if there is to be one.

        Raises:
            DatabaseError: When the URL names none that we can make.
        """
        file = _file_in(options)
        if file is not None:
            sweep_files(file)
        return SqliteLaunch(SqliteServer(options, file))

    def join(self, url: URL) -> SqliteServer:
        """Return this process's own: databases in memory are not shared with others, and files are not either."""
        return SqliteServer(_DEFAULTS, Path(url.database) if url.database else None)

    def start(self) -> SqliteDatabase:
        """Start an empty database in memory, under a name that no other database of this process has."""
        return SqliteServer(_DEFAULTS, None).create("dbguard")


def address(name: str, version: tuple[int, ...]) -> tuple[str, dict[str, str]]:
    """Return path and query of a shared in-memory database.

    The "memdb" file system waits for locks as a file does. Where SQLite is too old for it, a shared cache does,
    whose readers fail with "table is locked" instead of waiting: https://www.sqlite.org/sharedcache.html
    """
    if version >= _MEMDB_SINCE:
        return f"file:/{name}", {"vfs": "memdb"}
    return f"file:{name}", {"mode": "memory", "cache": "shared"}


def _file_in(options: StartOptions) -> Path | None:
    """Return the file that the URL names, below the project's root if it is relative; None for memory."""
    if options.url is None:
        return None
    try:
        url = make_url(options.url)
    except ArgumentError as error:
        raise DatabaseError("the URL of the database cannot be read", hint="for SQLite: sqlite:///file.db") from error
    shown = url.render_as_string(hide_password=True)
    if url.drivername not in _DRIVERS:
        raise DatabaseError(f"no SQLite database by '{shown}'", hint="for SQLite: sqlite:///file.db")
    if not url.database or url.database == ":memory:":
        return None
    if url.database.startswith("file:"):
        raise DatabaseError(f"'{shown}' has a URI in it", hint="name the file itself, as in sqlite:///file.db")
    file = (options.project or Path.cwd()) / url.database
    if not file.parent.is_dir():
        raise DatabaseError(f"'{shown}': there is no directory '{file.parent}'", hint="make it, or name another file")
    return file.resolve()
