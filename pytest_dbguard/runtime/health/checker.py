"""Asks all servers of a manager how they are: now, or again and again in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_dbguard.runtime.health.model import Health, Liveness, Readiness

if TYPE_CHECKING:
    from pytest_dbguard.runtime.manager import DatabaseManager


class HealthChecker:
    """The health of one manager, which makes one of these and keeps it as `manager.checker`. Safe from any thread."""

    def __init__(self, manager: DatabaseManager) -> None:
        self._manager = manager

    def health(self, deadline_s: float | None = None) -> Health:
        """Ask all servers at once; the answer comes within the deadline, also of servers that say nothing."""
        raise NotImplementedError

    async def health_async(self, deadline_s: float | None = None) -> Health:
        """Do what `health` does without blocking the event loop."""
        raise NotImplementedError

    def live(self) -> Liveness:
        """Tell whether the process should be left alone; asks no database."""
        raise NotImplementedError

    def ready(self, deadline_s: float | None = None) -> Readiness:
        """Tell whether requests should be sent here."""
        raise NotImplementedError

    async def ready_async(self, deadline_s: float | None = None) -> Readiness:
        """Do what `ready` does without blocking the event loop."""
        raise NotImplementedError

    def check_once(self) -> Health:
        """Ask all servers and take note: states, events, replicas."""
        raise NotImplementedError

    async def check_once_async(self) -> Health:
        """Do what `check_once` does without blocking the event loop."""
        raise NotImplementedError

    def start(self) -> None:
        """Check in a background thread every `monitoring.health_interval_s`. Starting twice is allowed."""

    def stop(self, deadline_s: float = 1.0) -> None:
        """End the background thread; a check that is under way is not waited for beyond the deadline."""

    def start_async(self) -> None:
        """Check in a task of the running event loop."""

    async def stop_async(self, deadline_s: float = 1.0) -> None:
        """End the task."""


def health(manager: DatabaseManager, deadline_s: float | None = None) -> Health:
    """Return `manager.checker.health(deadline_s)`."""
    return manager.checker.health(deadline_s)


async def health_async(manager: DatabaseManager, deadline_s: float | None = None) -> Health:
    """Return `await manager.checker.health_async(deadline_s)`."""
    return await manager.checker.health_async(deadline_s)
