"""Questions to servers, and what becomes of the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.samples import Sample
from pytest_dbguard.runtime.routing.watch import Watch

if TYPE_CHECKING:
    from pytest_dbguard.runtime.routing.known import Known


@dataclass(frozen=True, slots=True)
class Question:
    """How far one server is: a replica, or primary where there is none."""

    known: Known
    watch: Watch | None
    until: Position | None = None
    """What a replica is to have reached."""

    within_s: float = 0.0

    @property
    def role(self) -> Role:
        """Return the server's role."""
        return "primary" if self.watch is None else "readonly"

    @property
    def target(self) -> str | None:
        """Return the server's name; None where the role has one server only."""
        return None if self.watch is None else self.watch.name

    def answered(self, sample: Sample) -> bool:
        """Take an answer; return whether nobody needs to wait any longer."""
        if self.watch is None:
            self.known.primary_answered(sample)
            return False
        self.known.answered(self.watch, sample)
        return self.until is not None and self.watch.has_reached(self.until)

    def failed(self, error: Exception) -> None:
        """Take that there is no answer."""
        self.known.gave_no_answer(self.watch, error)

    def ended(self) -> None:
        """Let others ask."""
        self.known.release(self.watch)
