"""What is known of one replica, and when it is to be asked again."""

from __future__ import annotations

from dataclasses import replace

from pytest_dbguard.runtime.routing.claim import Claimable
from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.primary_log import PrimaryLog
from pytest_dbguard.runtime.routing.replica_state import ReplicaState, State
from pytest_dbguard.runtime.routing.samples import Sample
from pytest_dbguard.runtime.routing.seams import RoutingOptions

ASK_S = 2.0
"""Seconds after which a server that does not answer counts as failed."""


class Watch(Claimable):
    """One replica as it is seen from here. Whoever calls holds the lock of all."""

    def __init__(self, name: str, weight: float, options: RoutingOptions, log: PrimaryLog) -> None:
        self.name = name
        self.weight = weight
        self.failures = 0
        self.reason = ""
        self.sample: Sample | None = None
        self.lag_s: float | None = None
        self.ejected_until: float | None = None
        self._options = options
        self._log = log
        self._refresh_s = refresh_s(options)
        self._ask_again_at = 0.0
        self._was_standby = False

    def wants_asking(self, now: float) -> bool:
        """Whether what is known is too old, and nobody is asking."""
        return now >= self._ask_again_at and not self.is_claimed(now)

    def answered(self, sample: Sample) -> bool:
        """Take what it said; return whether it returns after it was ejected."""
        self.sample = sample
        self._was_standby |= sample.is_standby
        self.measure()
        self._ask_again_at = sample.at + self._refresh_s if sample.has_positions else float("inf")
        return self.succeeded()

    def measure(self) -> None:
        """Compare what it has replayed with what is known of primary's log by now."""
        self.lag_s = None if self.sample is None else self._log.lag_s(self.sample)

    def succeeded(self) -> bool:
        """Note that it works; return whether it returns after it was ejected."""
        returns = self.ejected_until is not None
        self.failures, self.reason, self.ejected_until = 0, "", None
        if returns and self.sample is None:
            self._ask_again_at = 0.0
        return returns

    def failed(self, reason: str, now: float) -> bool:
        """Note that it did not do its work; return whether it is ejected now."""
        was_ejected = self.ejected_until is not None
        self.failures += 1
        self.reason, self.sample, self.lag_s = reason, None, None
        self._ask_again_at = now + self._refresh_s
        if was_ejected or self.failures >= self._options.eject_after:
            self.ejected_until = self._ask_again_at = now + self._options.return_after_s
        return self.ejected_until is not None and not was_ejected

    def busy(self, now: float) -> None:
        """Go on with what is known, since there is no connection to ask by."""
        self._ask_again_at = now + self._refresh_s
        if self.sample is not None:
            self.sample = replace(self.sample, at=now)

    def takes_reads(self, now: float) -> bool:
        """Whether it answered lately, and does not lag behind."""
        sample = self.sample
        if self.weight <= 0 or self.ejected_until is not None or sample is None:
            return False
        return not sample.has_positions or (self._is_fresh(sample, now) and not self.is_lagging)

    def might_take_reads(self) -> bool:
        """Whether nothing is known against it, however old that is."""
        return self.weight > 0 and self.ejected_until is None and not self.is_lagging

    @property
    def is_lagging(self) -> bool:
        """Whether it lags behind for longer than is allowed, or does not follow primary any more."""
        return self._why_not() != ""

    @property
    def follows(self) -> bool:
        """Whether it replays a log, so that it may reach what it has not yet."""
        return self.sample is not None and self.sample.is_standby and self.sample.position is not None

    def has_reached(self, needed: Position) -> bool:
        """Whether a write at a position is to be seen on it."""
        sample = self.sample
        if sample is None or not sample.has_positions:
            return sample is not None
        if not sample.is_standby:
            # all roles may lead to one server; the log of any other server says nothing about primary's
            return sample.started == self._log.started
        position = sample.position
        if position is None or (position.timeline and position.timeline < needed.timeline):
            return False
        return position.lsn >= needed.lsn

    def state(self) -> ReplicaState:
        """Return what is known of it."""
        reason = self.reason or self._why_not()
        return ReplicaState(self.name, self._state(), self.weight, self.failures, self.lag_s, reason)

    def _state(self) -> State:
        if self.ejected_until is not None:
            return "ejected"
        if self.sample is None:
            return "unknown"
        return "lagging" if self.is_lagging else "good"

    def _why_not(self) -> str:
        sample, last = self.sample, self._log.last
        if self.lag_s is not None and self.lag_s > self._options.max_lag_s:
            return f"lags behind for more than {self._options.max_lag_s:g} s"
        if sample is None or sample.position is None:
            return ""
        if sample.is_standby and last is not None and 0 < sample.position.timeline < last.timeline:
            return "follows a server that is not primary any more"
        if self._was_standby and not sample.is_standby and sample.started != self._log.started:
            return "has become a primary of its own"
        return ""

    def _is_fresh(self, sample: Sample, now: float) -> bool:
        return now - sample.at <= self._refresh_s + max(self._options.wait_s, self._refresh_s)


def refresh_s(options: RoutingOptions) -> float:
    """Return for how many seconds an answer counts: a quarter of the lag that is allowed, a second at the most."""
    return min(max(options.max_lag_s / 4, 0.01), 1.0)
