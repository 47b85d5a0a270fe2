"""Leaves the database as each test leaves it."""

from __future__ import annotations

from typing import ClassVar

from pytest_dbguard.resets.base import Cleaner, Outcome


class NoReset:
    """Leaves the database as each test leaves it."""

    name: ClassVar[str] = "none"

    def __init__(self, cleaner: Cleaner, router: object) -> None:
        """Need nothing."""

    def begin(self) -> None:
        """Do nothing."""

    def make_permanent(self) -> bool:
        """Return True: what the test commits is committed."""
        return True

    def end(self) -> Outcome:
        """Do nothing."""
        return Outcome()

    def close(self) -> None:
        """Do nothing."""
