"""How far a replica is behind, from positions in the write-ahead log; times alone mislead.

`now() - pg_last_xact_replay_timestamp()` grows for as long as nobody writes, and it compares two servers' clocks. So a
replica that has replayed all there is lags 0 s whatever the time, and otherwise the smaller of two upper bounds holds:
the age of the last transaction it has replayed, by the primary's own clock where that answered; and the time since the
primary was last seen no further than where the replica is now.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

from pytest_dbguard.runtime.health.answers import Answer

_SEEN = 500


@dataclass(frozen=True, slots=True)
class Lag:
    """How far behind; None where that is not known."""

    seconds: float | None = None
    size_bytes: int | None = None
    is_stray: bool = False
    """Whether it was promoted, so that it follows nobody, while another server is the primary."""


class PrimaryPositions:
    """Where a primary was seen, and when. The last 500; not for several threads at once."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, float]] = deque(maxlen=_SEEN)

    def note(self, lsn: int, at_s: float) -> None:
        """Note a position; `at_s` by a monotonic clock.

        What was further is forgotten: another primary's, which has failed, or what a check meanwhile has seen.
        """
        while self._seen and lsn <= self._seen[-1][0]:
            self._seen.pop()
        self._seen.append((lsn, at_s))

    def last_seen_at(self, lsn: int) -> float | None:
        """Return when the primary was last seen no further than a position; None when that is not known."""
        index = bisect_right(self._seen, (lsn, float("inf")))
        return self._seen[index - 1][1] if index else None


def lag_of(replica: Answer, primary: Answer | None, positions: PrimaryPositions, now_s: float) -> Lag:
    """Return how far a replica is behind.

    Args:
        replica: What it says.
        primary: What its primary says; None when that did not answer.
        positions: Where the primary was before.
        now_s: By the clock of `positions`.
    """
    replayed = replica.replayed_lsn
    if not replica.is_replica or replayed is None:
        leads = primary is not None and primary.reachable and not primary.read_only
        is_other = leads and primary is not None and primary.started_at != replica.started_at
        return Lag(is_stray=is_other and replica.was_replica)
    end = primary.current_lsn if primary is not None else None
    if end is None:
        end = replica.received_lsn
        if end is None:
            return Lag()
        if not replica.is_streaming:
            # nobody knows what it has not received
            return Lag(None, max(0, end - replayed))
    behind = max(0, end - replayed)
    if behind == 0:
        return Lag(0.0, 0)
    clock = primary.server_time if primary is not None else replica.server_time
    bounds = []
    if clock is not None and replica.replayed_at is not None:
        bounds.append(max(0.0, clock - replica.replayed_at))
    seen_at = positions.last_seen_at(replayed)
    if seen_at is not None:
        bounds.append(max(0.0, now_s - seen_at))
    return Lag(min(bounds, default=None), behind)
