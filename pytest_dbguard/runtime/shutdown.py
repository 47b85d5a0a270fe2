"""The end of a manager's engines: nothing handed out, work waited for, what is left cancelled, all closed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShutdownReport:
    """What the end took."""

    waited_s: float = 0.0
    cancelled: int = 0
    """Connections whose statement was cancelled, since they did not come back in time."""

    severed: int = 0
    """Connections that were cut off, since cancelling did not bring them back."""


class Shutdown:
    """Ends engines."""
