"""What tests need to know of running servers."""

from __future__ import annotations

import os
import select


def wait_for_end(pid, seconds=30):
    """Wait for a process that is not our child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def server_pid(directory):
    """Return the process number of the server in a private directory."""
    return int((directory / "data" / "postmaster.pid").read_text().split()[0])
