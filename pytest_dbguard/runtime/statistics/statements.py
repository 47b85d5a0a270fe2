"""Counts every statement of the engines it is attached to, by role and shape, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_dbguard.runtime.clock import SYSTEM_CLOCK, Clock
from pytest_dbguard.runtime.events import Events
from pytest_dbguard.runtime.statistics.figures import RoleFigures, StatementFigures

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

OWN = "/* dbguard: own */"
"""Written into a statement that the runtime sends over an application's connection: it is not counted."""


class StatementStatistics:
    """What the statements of one manager took. Safe to use from any thread; a forked process begins anew."""

    def __init__(
        self,
        events: Events | None = None,
        *,
        slow_ms: float | None = None,
        max_shapes: int = 1000,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Attach to nothing yet.

        Args:
            events: Is told of queries and slow queries, when anybody has subscribed to them.
            slow_ms: From when on a statement is slow; None for never.
            max_shapes: Shapes that are kept apart in each role; the ones that took least go together as "other".
            clock: Tells since when is counted.
        """
        self.events = events or Events()
        self.slow_ms = slow_ms

    def attach(self, engine: Engine | AsyncEngine, target: str, role: str) -> None:
        """Count an engine's statements from now on; an engine that is attached already stays so, once."""

    def detach(self, engine: Engine | AsyncEngine) -> None:
        """Count an engine's statements no longer; nothing when it is not attached."""

    def shapes(self, role: str | None = None) -> tuple[StatementFigures, ...]:
        """Return what was counted of each shape, of one role or all; those that took most in total first."""
        return ()

    def roles(self) -> dict[str, RoleFigures]:
        """Return what was counted of each role."""
        return {}

    def reset(self) -> None:
        """Forget all that was counted."""
