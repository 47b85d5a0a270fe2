"""The `dbguard` command: one file a command, imported when it is called."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit: 0 clean, 1 findings or problems, 2 wrong use or own fault."""
    # a hook waits for it at every commit: where nothing changed, not even the option parser is imported
    status = _told_again() if sys.argv[1:2] == ["lint"] else None
    if status is not None:
        sys.exit(status)
    from pytest_dbguard.cli.application import main as whole_command

    whole_command()


def _told_again() -> int | None:
    """Tell what lint found before, and return the exit status; None where it has to look again."""
    from pytest_dbguard.linting.fast_path import replay

    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    try:
        status = replay(sys.argv[2:])
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader, such as `head`, has enough; Python flushes once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status
