"""Peak memory of a process with all its descendants: proportional set sizes from /proc, sampled by a thread."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

_PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36
_INTERVAL_S = 0.25


def adopt_orphans() -> bool:
    """Have servers that detach themselves from their parent become our children; False where that is impossible."""
    if sys.platform != "linux":
        return False
    return ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


class PeakMemory:
    """Samples the descendants of this process, without those that were there before, plus `besides`."""

    def __init__(self, besides: int | None = None) -> None:
        before = _descendants(os.getpid(), _parents())
        counted = _descendants(besides, _parents()) | {besides} if besides is not None else set()
        self._ignored = before - counted
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.peak_mib = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(_INTERVAL_S):
            processes = _descendants(os.getpid(), _parents()) - self._ignored
            self.peak_mib = max(self.peak_mib, sum(map(_pss_kib, processes)) / 1024)


def _parents() -> dict[int, int]:
    """Return the parent of every process."""
    parents = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # the second field is a name in brackets, which may hold spaces
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    return parents


def _descendants(root: int, parents: dict[int, int]) -> set[int]:
    found, new = set(), {root}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return found


def _pss_kib(process: int) -> int:
    with suppress(OSError):  # it has ended since
        for line in (_PROC / str(process) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
