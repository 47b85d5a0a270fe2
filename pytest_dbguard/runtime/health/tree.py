"""Makes the tree of all roles from what their servers have answered, and what was known of the primary before."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from typing import TYPE_CHECKING, get_args

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.health.answers import Answer
from pytest_dbguard.runtime.health.judgement import judge_all, judge_role, judge_target
from pytest_dbguard.runtime.health.lag import Lag, PrimaryPositions, lag_of
from pytest_dbguard.runtime.health.model import Health, TargetHealth

if TYPE_CHECKING:
    from pytest_dbguard.runtime.manager import DatabaseManager
    from pytest_dbguard.runtime.settings import Target


class Trees:
    """The trees of one manager. Safe to use from any thread."""

    def __init__(self, manager: DatabaseManager, targets: Mapping[str, Target]) -> None:
        self._manager = manager
        self._targets = targets
        self._lock = RLock()
        self._positions = PrimaryPositions()

    def build(self, answers: Mapping[str, Answer], asked_s: float, elapsed_ms: float) -> Health:
        """Return the tree.

        Args:
            answers: Of every server, by its name.
            asked_s: When asking began, by the manager's monotonic clock.
            elapsed_ms: How long it took.
        """
        checked_at = self._manager.clock.wall()
        lags = self._lags(answers, asked_s)
        found = {name: self._judge(name, answer, lags[name], checked_at) for name, answer in answers.items()}
        roles = {}
        for role in get_args(Role):
            own = {name: each for name, each in found.items() if each.role == role}
            roles[role] = judge_role(role, role if own else "primary", own or {"primary": found["primary"]})
        return judge_all(roles, checked_at=checked_at, elapsed_ms=elapsed_ms)

    def _lags(self, answers: Mapping[str, Answer], asked_s: float) -> dict[str, Lag]:
        primary = answers["primary"]
        with self._lock:
            if primary.current_lsn is not None:
                self._positions.note(primary.current_lsn, asked_s)
            return {name: lag_of(answer, primary, self._positions, asked_s) for name, answer in answers.items()}

    def _judge(self, name: str, answer: Answer, lag: Lag, checked_at: float) -> TargetHealth:
        return judge_target(
            self._targets[name].role,
            name,
            answer,
            lag=lag,
            pools=[each.stats.snapshot() for each in self._manager.engines() if each.target.name == name],
            max_lag_s=self._manager.settings.routing.max_lag_s,
            checked_at=checked_at,
        )
