"""When primary is to be asked where its log is, by those who do not write themselves."""

from __future__ import annotations

from pytest_dbguard.runtime.routing.claim import Claimable
from pytest_dbguard.runtime.routing.primary_log import PrimaryLog
from pytest_dbguard.runtime.routing.samples import Sample
from pytest_dbguard.runtime.routing.seams import RoutingOptions
from pytest_dbguard.runtime.routing.watch import refresh_s

_LONGEST_S = 30.0


class PrimaryWatch(Claimable):
    """Primary as it is seen from here. Whoever calls holds the lock of all."""

    def __init__(self, options: RoutingOptions) -> None:
        self._refresh_s = refresh_s(options)
        self._failures = 0
        self._ask_again_at = 0.0

    def wants_asking(self, now: float, log: PrimaryLog) -> bool:
        """Whether nobody has committed or asked lately."""
        is_known = log.last_at is not None and now < log.last_at + self._refresh_s
        return not is_known and now >= self._ask_again_at and not self.is_claimed(now)

    def answered(self, sample: Sample, log: PrimaryLog, now: float) -> None:
        """Take what it said."""
        if not sample.has_positions:
            self._ask_again_at = float("inf")
        elif sample.is_standby or sample.position is None:
            self.failed(now)
        else:
            self._failures = 0
            log.started = sample.started
            log.note(sample.position, sample.at, is_asked=True)

    def failed(self, now: float) -> None:
        """Ask again later, and later each time: replicas are read from while it is down, and must not wait for it."""
        self._failures += 1
        self._ask_again_at = now + min(self._refresh_s * 2**self._failures, _LONGEST_S)
