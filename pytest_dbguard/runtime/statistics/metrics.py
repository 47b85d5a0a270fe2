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


@dataclass(frozen=True, slots=True)
class ManagerMetrics:
    """What pools and statements have done since the manager was made, in this process."""

    state: str
    """Of the manager: new, started, stopping or stopped."""

    uptime_s: float
    """Since the manager was made."""

    pools: Mapping[str, PoolFigures]
    """By target, such as "readonly-2"; the pool of an asynchronous engine beside another is "readonly-2 (async)"."""

    statements: Mapping[str, RoleFigures]
    """By role."""

    replicas: Mapping[str, Any]
    """What is known of each replica, by its name."""

    listener_faults: int
    """How often a subscriber to events has raised."""

    own_faults: int
    """How often counting a statement has failed."""

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON."""
        found: dict[str, Any] = plain(self)
        return found


def metrics_of(manager: DatabaseManager) -> ManagerMetrics:
    """Read the figures of a manager. Asks no database and waits for nothing."""
    raise NotImplementedError
