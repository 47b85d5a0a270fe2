"""Writes and resizes files below a server's data directory, from here or through the server itself."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from pytest_dbguard.planning.lab.base import LabError

if TYPE_CHECKING:
    from psycopg import Connection

_AT_ONCE: Final = 1000
"""Files that one program is given: commands may not be longer than the system allows."""
_FILE: Final = re.compile(r"base/(\d+)/\d+(\.\d+)?")


class RelationFiles(Protocol):
    """The files of one database. Paths are relative to the data directory, as `pg_relation_filepath` tells them."""

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Replace what files hold."""
        ...

    def resize(self, sizes: Mapping[str, int]) -> None:
        """Cut files, or lengthen them by holes, which read as zeros and take no room; bytes. They are made if need be.

        A size of -1 deletes the file.
        """
        ...


class LocalFiles:
    """Files of a server whose data directory this process may write to."""

    def __init__(self, data: Path, database: int) -> None:
        """`database` is the number of the only database whose files may be touched."""
        self._data = data
        self._database = database

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Replace what files hold."""
        for path in checked(contents, self._database):
            (self._data / path).write_bytes(contents[path])

    def resize(self, sizes: Mapping[str, int]) -> None:
        """Cut files, or lengthen them by holes; -1 deletes."""
        for path in checked(sizes, self._database):
            if sizes[path] < 0:
                (self._data / path).unlink(missing_ok=True)
            else:
                self._resize(self._data / path, sizes[path])

    def _resize(self, file: Path, size: int) -> None:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, size)
            owner, now = file.parent.stat(), os.fstat(descriptor)
            if (owner.st_uid, owner.st_gid) != (now.st_uid, now.st_gid):  # one that was made just now, by root
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
        finally:
            os.close(descriptor)


class ServerFiles:
    """Files of a server that is somewhere else, such as in a container; needs a superuser."""

    def __init__(self, connection: Connection, database: int) -> None:
        """`database` is the number of the only database whose files may be touched; the connection is to it."""
        self._connection = connection
        self._database = database

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Replace what files hold, by exporting large objects: the server writes them without starting a program."""
        paths: dict[bytes, list[str]] = {}
        for path in checked(contents, self._database):
            paths.setdefault(contents[path], []).append(path)
        with self._connection.transaction():
            for content, targets in paths.items():
                row = self._connection.execute("SELECT pg_catalog.lo_from_bytea(0, %s)", [content]).fetchone()
                assert row is not None
                export = "SELECT pg_catalog.lo_export(%s, path) FROM unnest(%s::text[]) AS path"
                self._connection.execute(export, [row[0], targets])
                self._connection.execute("SELECT pg_catalog.lo_unlink(%s)", [row[0]])

    def resize(self, sizes: Mapping[str, int]) -> None:
        """Cut files, or lengthen them by holes; -1 deletes. One shell of the server's does all of it."""
        grouped: dict[int, list[str]] = {}
        for path in checked(sizes, self._database):
            grouped.setdefault(sizes[path], []).append(path)
        commands = [
            f"{'rm -f' if size < 0 else f'truncate -s {size}'} {' '.join(paths[start : start + _AT_ONCE])}"
            for size, paths in grouped.items()
            for start in range(0, len(paths), _AT_ONCE)
        ]
        if commands:
            # the directory that the server runs in is that of its data; COPY would double a backslash, there is none
            self._connection.execute(f"COPY (SELECT '{'; '.join(['set -e', *commands])}') TO PROGRAM 'sh'")


def checked(paths: Iterable[str], database: int) -> list[str]:
    """Return the paths.

    Raises:
        LabError: For a path that is not a file of a relation of this very database: nothing else is ever touched.
    """
    listed = list(paths)
    for path in listed:
        match = _FILE.fullmatch(path)
        if match is None or match[1] != str(database):
            raise LabError("a relation of the lab does not lie in the directory of its database")
    return listed
