"""Which user a database server runs as: PostgreSQL refuses root, so root borrows an unprivileged user."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_IXGRP, S_IXOTH, S_IXUSR
from typing import Any

from pytest_dbguard.core.errors import DatabaseError

_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user that server processes run as; `borrowed` when it is not the one we are."""

    name: str
    uid: int
    gid: int
    borrowed: bool

    def popen_options(self) -> dict[str, Any]:
        """Return the arguments that make `subprocess.Popen` run something as this user and no more than that."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.borrowed else {}

    def can_enter(self, directory: Path) -> bool:
        """Tell whether the permissions let this user reach things in `directory`, from the root down."""
        if not self.borrowed:
            return os.access(directory, os.X_OK)
        return all(self._may_search(step) for step in (directory, *directory.parents))

    def own(self, path: Path) -> None:
        """Give a file or directory that we made to this user."""
        if self.borrowed:
            os.chown(path, self.uid, self.gid)

    def _may_search(self, directory: Path) -> bool:
        status = directory.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & S_IXGRP)
        return bool(status.st_mode & S_IXOTH)


def server_user(candidates: Sequence[str] = _CANDIDATES) -> ServerUser:
    """Return the user to run a server as: ourselves, or for root the first candidate that exists.

    Raises:
        DatabaseError: When we are root and there is none.
    """
    if os.geteuid() != 0:
        return ServerUser(f"user {os.geteuid()}", os.geteuid(), os.getegid(), borrowed=False)
    for name in candidates:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(name, entry.pw_uid, entry.pw_gid, borrowed=True)
    raise DatabaseError(
        f"PostgreSQL refuses to run as root, and none of the users {', '.join(map(repr, candidates))} exists here",
        hint="run pytest as an unprivileged user, or add a user 'postgres'",
    )
