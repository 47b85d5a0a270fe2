"""Lets tests commit for real, and afterwards removes what they wrote."""

from __future__ import annotations

from typing import ClassVar

from pytest_dbguard.resets.base import Cleaner, Outcome


class Committed:
    """Lets tests commit for real, and afterwards removes what they wrote."""

    name: ClassVar[str] = "committed"

    def __init__(self, cleaner: Cleaner, router: object) -> None:
        self._cleaner = cleaner

    def begin(self) -> None:
        """Do nothing: the test before left everything clean."""

    def make_permanent(self) -> bool:
        """Return True: what the test commits is committed."""
        return True

    def end(self) -> Outcome:
        """Clean up after a test."""
        return self._cleaner.clean()

    def close(self) -> None:
        """Do nothing."""
