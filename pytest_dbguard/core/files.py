"""Writes a file so that nobody ever sees half of it."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`: readers see the old content or all of the new one, also after a crash.

    Makes parent directories, follows a symbolic link to its target, and keeps the mode of a file that exists. A
    file that holds these bytes already is left alone; what is no regular file, such as `/dev/stdout`, is written to
    as it is. Lone surrogates, as in undecodable file names, are written as backslash escapes.

    Raises:
        OSError: When the file cannot be written; the old content is still there then.
    """
    content = text.encode("utf-8", "backslashreplace")
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(content)
        return
    target = Path(os.path.realpath(path))
    if target.is_file() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # in the same directory: a rename is atomic only within one file system
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(_mode(target))
        Path(temporary).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _mode(target: Path) -> int:
    """Return the mode the file has, or the one `open` would give it: temporary files are private."""
    with suppress(OSError):
        return target.stat().st_mode & 0o7777
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask
