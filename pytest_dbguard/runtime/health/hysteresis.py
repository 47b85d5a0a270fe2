"""Remembers the health of one server, and changes its mind only when enough checks in a row agree."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import Final, Literal

from pytest_dbguard.runtime.health.model import STATUSES, Status

RECENT: Final = 10
"""Checks that are looked back on for flapping."""

FLAPS: Final = 4
"""Changes among those from which on a server flaps: it is degraded at best, though it never fails often in a row."""


class TargetState:
    """The confirmed status of one server: "unknown" until it is checked first, which is believed at once.

    It gets worse once `unhealthy_after` checks in a row are worse, to what the best of them tells; and better once
    `healthy_after` in a row are better, to what the worst of them tells. Not for several threads at once.
    """

    def __init__(self, unhealthy_after: int, healthy_after: int) -> None:
        self.status: Status | Literal["unknown"] = "unknown"
        self._unhealthy_after = unhealthy_after
        self._healthy_after = healthy_after
        self._run: list[Status] = []
        self._recent: deque[Status] = deque(maxlen=RECENT)

    @property
    def is_flapping(self) -> bool:
        """Whether it was now one thing and now another, of late."""
        return sum(one != other for one, other in pairwise(self._recent)) >= FLAPS

    def note(self, status: Status) -> bool:
        """Take note of a check; return whether the confirmed status has changed."""
        self._recent.append(status)
        if self.is_flapping and status == "healthy":
            status = "degraded"
        before = self.status
        if before == "unknown":
            self.status = status
        else:
            self.status = self._weigh(before, status)
        return self.status != before

    def _weigh(self, before: Status, status: Status) -> Status:
        direction = _rank(status) - _rank(before)
        if direction == 0 or (self._run and (_rank(self._run[-1]) - _rank(before)) * direction < 0):
            self._run.clear()
        if direction == 0:
            return before
        self._run.append(status)
        if len(self._run) < (self._unhealthy_after if direction > 0 else self._healthy_after):
            return before
        confirmed = min(self._run, key=_rank) if direction > 0 else max(self._run, key=_rank)
        self._run.clear()
        return confirmed


def _rank(status: Status) -> int:
    return STATUSES.index(status)
