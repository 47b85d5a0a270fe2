"""What takes most time, as data and as text for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_dbguard.runtime.plain import plain
from pytest_dbguard.runtime.statistics.figures import RoleFigures, StatementFigures
from pytest_dbguard.runtime.statistics.metrics import pools_of
from pytest_dbguard.runtime.statistics.text import lines_of

if TYPE_CHECKING:
    from pytest_dbguard.runtime.manager import DatabaseManager
    from pytest_dbguard.runtime.pools.stats import PoolFigures


@dataclass(frozen=True, slots=True)
class PerformanceSummary:
    """The statements that cost most, and what waiting for connections cost. `str` gives text of 80 columns."""

    uptime_s: float
    """Seconds that the figures are of."""

    roles: Mapping[str, RoleFigures]
    by_total: tuple[StatementFigures, ...]
    """Those that took most time in total; the other tuples by the mean, by the calls, by the part that failed."""

    by_mean: tuple[StatementFigures, ...]
    by_calls: tuple[StatementFigures, ...]
    by_errors: tuple[StatementFigures, ...]
    """Only those that have failed."""

    pools: Mapping[str, PoolFigures]
    """By target, as in `ManagerMetrics`."""

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON."""
        found: dict[str, Any] = {"uptime_s": plain(self.uptime_s), "pools": plain(self.pools)}
        found["roles"] = {role: figures.to_dict() for role, figures in self.roles.items()}
        for name in ("by_total", "by_mean", "by_calls", "by_errors"):
            found[name] = [each.to_dict() for each in getattr(self, name)]
        return found

    def __str__(self) -> str:
        return "\n".join(lines_of(self))


def summary_of(manager: DatabaseManager, top: int = 5) -> PerformanceSummary:
    """Return the `top` statements of each kind. Asks no database and waits for nothing."""
    statistics = manager.statistics
    shapes = statistics.shapes()
    kept = [each for each in shapes if each.shape_id != "other"]

    def first(key: Callable[[StatementFigures], float]) -> tuple[StatementFigures, ...]:
        return tuple(sorted(kept, key=lambda each: (-key(each), each.role, each.shape_id))[:top])

    return PerformanceSummary(
        uptime_s=manager.clock.monotonic() - statistics.began_at,
        roles=statistics.roles(),
        by_total=first(lambda each: each.total_ms),
        by_mean=first(lambda each: each.mean_ms),
        by_calls=first(lambda each: each.calls),
        by_errors=tuple(each for each in first(lambda each: each.error_rate) if each.errors),
        pools=pools_of(manager),
    )
