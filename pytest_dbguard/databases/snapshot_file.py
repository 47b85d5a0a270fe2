"""Packs a data directory into one file and unpacks it again, never from a file that is not whole."""

from __future__ import annotations

import mmap
import os
import re
import subprocess
import zlib
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import IO, Final

from pytest_dbguard.databases.server_user import ServerUser

# After the end of the archive, where `tar` does not look any more: the number of bytes before it, and their checksum.
_SEAL: Final = b"\ndbguard snapshot 1 %016x %08x %s\n"
_SEAL_BYTES: Final = len(_SEAL % (0, 0, b"." * 10))
_SEAL_PATTERN: Final = re.compile(rb"\ndbguard snapshot 1 ([0-9a-f]{16}) ([0-9a-f]{8}) \.{10}\n")
_LEFT_OUT: Final = ("postmaster.pid", "postmaster.opts", "pg_stat_tmp/*", "pg_dynshmem/*")


def pack(data: Path, file: IO[bytes]) -> bool:
    """Write the data of a stopped server to a new file; False when that fails (no room, no `tar`)."""
    command = ["tar", "-cf", "-", *(f"--exclude=./{name}" for name in _LEFT_OUT), "-C", str(data), "."]
    try:
        done = subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, check=False, env=_environment())  # noqa: S603
        if done.returncode:
            return False
        size = file.seek(0, os.SEEK_END)
        file.write(_SEAL % (size, _checksum(file, size), b"." * 10))
        file.flush()
    except OSError:
        return False
    return True


def unpack(file: IO[bytes], data: Path, user: ServerUser) -> bool:
    """Make the data directory for the user from a file of ours; False when the file is not whole or that fails.

    `tar` reads from the open file, so that the user needs no way to it. It takes a fifth of the time that Python's
    `tarfile` takes, and the checksum is made meanwhile.
    """
    size, checksum = _seal(file)
    if size is None:
        return False
    try:
        data.mkdir(mode=0o700)
        user.own(data)
        file.seek(0)
        command = ["tar", "-xpf", "-", "-C", str(data)]
        options = user.popen_options()
        with subprocess.Popen(  # noqa: S603
            command, stdin=file, stderr=subprocess.DEVNULL, cwd="/", env=_environment(), **options
        ) as process:
            is_whole = _checksum(file, size) == checksum
    except OSError:
        return False
    return is_whole and process.returncode == 0


def open_private(path: Path) -> IO[bytes] | None:
    """Open a file for reading that we own and nobody else can write to; None when there is no such file."""
    with suppress(OSError):
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
        status = os.fstat(file.fileno())
        if S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022:
            return file
        file.close()
    return None


def _seal(file: IO[bytes]) -> tuple[int | None, int]:
    """Return size and checksum of the archive in the file; no size when the end of the file does not tell."""
    size = os.fstat(file.fileno()).st_size - _SEAL_BYTES
    if size > 0:
        file.seek(size)
        match = _SEAL_PATTERN.fullmatch(file.read())
        if match and int(match[1], 16) == size:
            return size, int(match[2], 16)
    return None, 0


def _checksum(file: IO[bytes], size: int) -> int:
    with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as content:
        return zlib.crc32(content)


def _environment() -> dict[str, str]:
    """Return our environment without what would add options to `tar`."""
    return {key: value for key, value in os.environ.items() if key not in ("TAR_OPTIONS", "TAPE", "POSIXLY_CORRECT")}
