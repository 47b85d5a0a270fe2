"""What is known of primary's log over time: by it alone can be told since when a replica lags behind."""

from __future__ import annotations

from collections import deque

from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.samples import Sample

_PARTS = 64
_KEPT = 4 * _PARTS


class PrimaryLog:
    """Positions of primary's log with the times at which they were seen, for four times the lag that is allowed."""

    def __init__(self, max_lag_s: float) -> None:
        self._apart_s = max_lag_s / _PARTS
        self._seen: deque[tuple[float, Position]] = deque(maxlen=_KEPT)
        self.last: Position | None = None
        """The newest position that was seen."""

        self.last_at: float | None = None
        """When it was seen."""

        self.started: str | None = None
        """When the server was started that is primary now."""

    def note(self, position: Position, at: float, *, is_asked: bool = False) -> None:
        """Note where the log was at a time; what primary said when it was asked is true also where that is less."""
        last, last_at = self.last, self.last_at
        if last is None or last_at is None or last.timeline != position.timeline:
            self._seen.clear()
        elif position < last:
            if not is_asked or at <= last_at:
                return  # two commits, told in another order
            self._seen.clear()
        if not self._seen or (position > self._seen[-1][1] and at >= self._seen[-1][0] + self._apart_s):
            self._seen.append((at, position))
        self.last, self.last_at = position, at

    def is_beyond(self, position: Position) -> bool:
        """Whether a position is one that primary's log has not reached, as far as is known here."""
        last = self.last
        return last is None or position.lsn > last.lsn or position.timeline > last.timeline

    def clamp(self, position: Position) -> Position:
        """Return the position, or where the log is if it has not reached that: after a failover, or a forged token."""
        return self.last if self.last is not None and self.is_beyond(position) else position

    def lag_s(self, replica: Sample) -> float | None:
        """Return for how many seconds what a replica has not replayed is in the log; None where nobody can know.

        Where the log was not looked at for long enough, the age of the last replayed transaction says how long at most.
        """
        reached = replica.position
        if reached is None or not replica.is_standby or not self._seen:
            return None
        if self.last is not None and reached.lsn >= self.last.lsn:
            return 0.0
        beyond = next((number for number, (_, seen) in enumerate(self._seen) if seen.lsn > reached.lsn), None)
        if beyond is None:
            return 0.0
        observed_s = max(replica.at - self._seen[beyond][0], 0.0)
        return max(observed_s, replica.age_s or 0.0) if beyond == 0 else observed_s
