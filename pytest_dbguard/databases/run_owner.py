"""Tells which process something was started by, in a text that a later process can check: does its owner still live?"""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunOwner:
    """A process, told from all others that had or will have its number."""

    machine: str
    """Where its number means something: one start of one machine, and one container on it."""

    pid: int
    started: str

    @classmethod
    def here(cls) -> RunOwner:
        """Return this process."""
        return cls(_machine(), os.getpid(), process_start(os.getpid()))

    @classmethod
    def read(cls, text: str) -> RunOwner | None:
        """Return the owner that a text names; None when it names none."""
        machine, _, rest = text.partition("/")
        pid, _, started = rest.partition("/")
        return cls(machine, int(pid), started) if pid.isdecimal() else None

    def __str__(self) -> str:
        return f"{self.machine}/{self.pid}/{self.started}"

    @property
    def is_local(self) -> bool:
        """Whether this process can see it at all, or could if it lived."""
        return self.machine == _machine()

    @property
    def is_dead(self) -> bool:
        """Whether it is known to have ended."""
        return self.is_local and process_start(self.pid) != self.started


def _machine() -> str:
    """Return the start of this machine and the space of process numbers we are in: containers have their own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return platform.node()


def process_start(pid: int) -> str:
    """Return when a process started, in whatever unit the system has; "" when there is none or it has ended."""
    if not Path("/proc/self/stat").exists():  # macOS
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return "-".join(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split())  # noqa: S603
    try:
        # the second field is the program's name in parentheses, which may hold blanks; see proc(5)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
