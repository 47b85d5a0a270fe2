"""Reads how much CPU time this process and a server of PostgreSQL have used, which other load does not change."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PARENT, _OWN, _ENDED = 1, slice(11, 13), slice(13, 15)


def cpu_s(backend: int) -> float:
    """Return seconds of this process and of all processes of the server that a backend belongs to (Linux)."""
    postmaster = int(_fields(backend)[_PARENT])
    ticks = sum(map(int, _fields(postmaster)[_ENDED])) + sum(_of_children(postmaster))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def _of_children(parent: int) -> Iterator[int]:
    for path in Path("/proc").iterdir():
        with suppress(OSError):
            if path.name.isdigit() and int((fields := _fields(path.name))[_PARENT]) == parent:
                yield sum(map(int, fields[_OWN]))


def _fields(process: int | str) -> list[str]:
    """Return what the kernel tells of a process, behind its name."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
