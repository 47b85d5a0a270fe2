"""The replicas of a test, which are the test's database itself: never behind, and nobody has to ask them."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_dbguard.runtime.routing.choosing import Steps
from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.replicas import Replicas


class OneServer(Replicas):
    """Chooses at once. Asking takes a thread, and there is but one connection in a test that is rolled back."""

    def choose(
        self, needed: Position | None = None, *, without: Iterable[str] = (), by_threads: bool = False
    ) -> str | None:
        """Return a replica."""
        return self.draw(self._known.used, without)

    def choosing(self, needed: Position | None) -> Steps:
        """Return all replicas, without a step to be waited for."""
        yield from ()
        return self._known.used
