"""The note in a server's directory that says: this server goes on after the run that started it."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.run_owner import process_start

_MARK = "kept.json"


@dataclass(frozen=True, slots=True)
class KeptMark:
    """What is known of a kept server."""

    kind: str
    pid: int
    started: str
    """Date and time in UTC, ISO 8601."""

    project: str | None = None

    def write(self, directory: Path) -> None:
        """Put the note into the directory."""
        (directory / _MARK).write_text(json.dumps(asdict(self)))


def kept_mark(directory: Path) -> KeptMark | None:
    """Return the note of a server that still runs; None when it was not to be kept or has ended."""
    with suppress(OSError, ValueError, TypeError):
        mark = KeptMark(**json.loads((directory / _MARK).read_text()))
        return mark if runs_in(mark.pid, directory / "data") else None
    return None


def runs_in(pid: int, data: Path) -> bool:
    """Tell whether a process is the server of a data directory, proved by what the server itself wrote there."""
    if not process_start(pid):
        return False
    with suppress(OSError):  # no /proc on macOS, or not ours to read: what the server wrote must do
        return os.readlink(f"/proc/{pid}/cwd") == str(data)
    return server_pid(data) == pid


def server_pid(data: Path) -> int | None:
    """Return the process number that the server of a data directory wrote there."""
    with suppress(OSError, ValueError, IndexError):
        return int((data / "postmaster.pid").read_text().split()[0])
    return None


def end_server(data: Path, number: signal.Signals) -> None:
    """Send a signal to the server of a data directory, if it runs.

    Raises:
        DatabaseError: When it is not ours to stop.
    """
    pid = server_pid(data)
    if pid is None or not runs_in(pid, data):
        return
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise DatabaseError(
            f"the server {pid} in '{data}' belongs to another user", hint="stop it as that user"
        ) from error
