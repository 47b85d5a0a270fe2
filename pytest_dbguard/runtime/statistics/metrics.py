"""All figures of a manager at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_dbguard.runtime.plain import plain
from pytest_dbguard.runtime.statistics.figures import RoleFigures

if TYPE_CHECKING:
    from pytest_dbguard.runtime.manager import DatabaseManager
    from pytest_dbguard.runtime.pools.stats import PoolFigures
    from pytest_dbguard.runtime.routing.replica_state import ReplicaState


@dataclass(frozen=True, slots=True)
class ManagerMetrics:
    """What pools and statements have done since the manager was made, in this process."""

    state: str
    """Of the manager: new, started, stopping or stopped."""

    uptime_s: float
    """Seconds since statements are counted: since the manager was made or the process forked."""

    pools: Mapping[str, PoolFigures]
    """By target, such as "readonly-2"; the pool of an asynchronous engine is called "readonly-2 (async)"."""

    statements: Mapping[str, RoleFigures]
    """By role."""

    replicas: Mapping[str, ReplicaState]
    """What is known of each replica, by its name."""

    health: Mapping[str, str]
    """What health checks have confirmed of each server; "unknown" where there were none."""

    listener_faults: int
    """How often a subscriber to events has raised."""

    own_faults: int
    """How often counting a statement has failed."""

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON."""
        found: dict[str, Any] = plain(self)
        found["statements"] = {role: figures.to_dict() for role, figures in self.statements.items()}
        return found


def metrics_of(manager: DatabaseManager) -> ManagerMetrics:
    """Read the figures of a manager. Asks no database and waits for nothing."""
    statistics = manager.statistics
    return ManagerMetrics(
        state=manager.state,
        uptime_s=manager.clock.monotonic() - statistics.began_at,
        pools=pools_of(manager),
        statements=statistics.roles(),
        replicas={state.target: state for state in manager.replicas.states()},
        health=manager.checker.states(),
        listener_faults=manager.events.faults,
        own_faults=statistics.faults,
    )


def pools_of(manager: DatabaseManager) -> dict[str, PoolFigures]:
    """Return the figures of each pool by the name of its target, in the order of the settings."""
    order = [target.name for target in manager.settings.targets()]
    engines = sorted(manager.engines(), key=lambda each: (order.index(each.target.name), each.is_async))
    return {
        f"{each.target.name} (async)" if each.is_async else each.target.name: each.stats.snapshot() for each in engines
    }
