"""The `dbguard` command: one file a command, imported when it is called."""

from __future__ import annotations

from pytest_dbguard.cli.application import main

__all__ = ["main"]
