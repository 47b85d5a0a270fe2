"""The `dbguard` command: one file a command, imported when it is called."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit: 0 clean, 1 findings or problems, 2 wrong use or own fault."""
    if sys.argv[1:2] == ["lint"]:
        # a hook waits for it at every commit: where nothing changed, not even the option parser is imported
        from pytest_dbguard.linting.fast_path import replay

        status = replay(sys.argv[2:])
        if status is not None:
            sys.exit(status)
    from pytest_dbguard.cli.application import main as whole_command

    whole_command()
