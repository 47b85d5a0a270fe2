"""Says why requests should not be sent to a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_dbguard.runtime.health.answers import Answer
from pytest_dbguard.runtime.health.judgement import judge_target
from pytest_dbguard.runtime.health.lag import Lag
from pytest_dbguard.runtime.health.model import Readiness
from pytest_dbguard.runtime.health.pool_sums import is_exhausted

if TYPE_CHECKING:
    from pytest_dbguard.runtime.manager import DatabaseManager


def reasons_of_state(state: str) -> tuple[str, ...]:
    """Return why a manager in this state takes nothing; () when it does."""
    return (f"the manager is {state}",) if state in ("stopping", "stopped") else ()


def reasons_of(primary: Answer) -> tuple[str, ...]:
    """Return why a primary that answers so cannot be used; () when it can."""
    judged = judge_target("primary", "primary", primary, lag=Lag(), pools=(), max_lag_s=0.0, checked_at=0.0)
    return (f"primary {judged.reason}",) if judged.status == "unhealthy" else ()


def readiness_of(manager: DatabaseManager, reasons: tuple[str, ...]) -> Readiness:
    """Return whether a manager is ready, for what is known of its primary and what its own pools show."""
    engines = [each for each in manager.engines() if each.target.name == "primary"]
    figures = [each.stats.snapshot() for each in engines]
    # a pool that is used to the full serves as many as it can: what cannot be served has to wait
    if any(each.waiting and is_exhausted(each) for each in figures):
        reasons = (*reasons, "callers wait for a connection of primary's pool, which has none left")
    return Readiness(ok=not reasons, state=manager.state, reasons=reasons)
