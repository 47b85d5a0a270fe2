"""What a service consists of, in the order of its start."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_dbguard.runtime.parts import Part

if TYPE_CHECKING:
    from pytest_dbguard.runtime.manager import DatabaseManager

_LOG = logging.getLogger("pytest_dbguard.runtime")


@dataclass(frozen=True, slots=True)
class Connections:
    """The engines; where they are to be warm, or the service is eager, the start opens connections."""

    name: ClassVar[str] = "connections"
    manager: DatabaseManager
    eager: bool

    def start(self) -> None:
        """Begin to hand out connections."""
        self.manager.start(self.eager)

    def stop(self, deadline_s: float) -> None:
        """Hand out no more, wait for what is out, cancel what is left, and close all."""
        self.manager.stop(deadline_s)

    async def start_async(self) -> None:
        """Begin to hand out connections."""
        await self.manager.start_async(self.eager)

    async def stop_async(self, deadline_s: float) -> None:
        """Hand out no more, wait for what is out, cancel what is left, and close all."""
        await self.manager.stop_async(deadline_s)


@dataclass(frozen=True, slots=True)
class HealthChecks:
    """Asks all servers every `monitoring.health_interval_s` how they are."""

    name: ClassVar[str] = "health checks"
    manager: DatabaseManager

    def start(self) -> None:
        """Begin to ask, in a thread."""
        self.manager.checker.start()

    def stop(self, deadline_s: float) -> None:
        """Ask no more."""
        self.manager.checker.stop(deadline_s)

    async def start_async(self) -> None:
        """Begin to ask, in the event loop."""
        await self.manager.checker.start_async()

    async def stop_async(self, deadline_s: float) -> None:
        """Ask no more."""
        await self.manager.checker.stop_async(deadline_s)


def parts_of(manager: DatabaseManager, *, eager: bool) -> Iterator[Part]:
    """Yield the parts that the settings ask for."""
    yield Connections(manager, eager)
    if manager.settings.monitoring.enabled:
        yield HealthChecks(manager)
