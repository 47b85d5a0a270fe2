"""Empties every table after each test, whether it was written to or not."""

from __future__ import annotations

from typing import ClassVar

from pytest_dbguard.resets.base import Cleaner, Outcome


class Truncate:
    """Empties every table after each test, whether it was written to or not."""

    name: ClassVar[str] = "truncate"

    def __init__(self, cleaner: Cleaner, router: object) -> None:
        self._cleaner = cleaner

    def begin(self) -> None:
        """Do nothing: the test before left everything clean."""

    def make_permanent(self) -> bool:
        """Return True: what the test commits is committed."""
        return True

    def end(self) -> Outcome:
        """Clean up after a test."""
        return self._cleaner.truncate()

    def close(self) -> None:
        """Do nothing."""
