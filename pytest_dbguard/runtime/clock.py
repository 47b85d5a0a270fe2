"""The time that the runtime reads and waits by, so that tests can move it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from. Ages, limits and waits are measured by `monotonic`, never by `wall`."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow, from any beginning."""
        ...

    def wall(self) -> float:
        """Return seconds since 1970, for people to read; it may jump."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
    sleep = staticmethod(time.sleep)


SYSTEM_CLOCK: Clock = SystemClock()


async def pause(clock: Clock, seconds: float) -> None:
    """Wait by a clock without holding up the event loop."""
    if isinstance(clock, SystemClock):
        await asyncio.sleep(seconds)
    else:
        await asyncio.to_thread(clock.sleep, seconds)
