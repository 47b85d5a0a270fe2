"""Puts a fresh copy of the template in place after each test that changed anything."""

from __future__ import annotations

from typing import Any, ClassVar

from pytest_dbguard.resets.base import Cleaner, Outcome


class Clone:
    """Puts a fresh copy of the template in place after each test that changed anything."""

    name: ClassVar[str] = "clone"

    def __init__(self, cleaner: Cleaner, router: object) -> None:
        """Begin to make the first copy, where the cleaner can do that ahead of need."""
        self._cleaner = cleaner
        make_ready: Any = getattr(cleaner, "make_ready", None)
        if make_ready is not None:
            make_ready()

    def begin(self) -> None:
        """Do nothing: the test before left everything clean."""

    def make_permanent(self) -> bool:
        """Return True: what the test commits is committed."""
        return True

    def end(self) -> Outcome:
        """Replace the database if the test changed it; else end what the test left open."""
        return self._cleaner.swap("the reset is clone") if self._cleaner.is_dirty() else self._cleaner.clean()

    def close(self) -> None:
        """Do nothing: the cleaner deletes what it made."""
