"""What takes most time, as data and as text for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_dbguard.runtime.plain import plain
from pytest_dbguard.runtime.statistics.figures import RoleFigures, StatementFigures

if TYPE_CHECKING:
    from pytest_dbguard.runtime.manager import DatabaseManager
    from pytest_dbguard.runtime.pools.stats import PoolFigures


@dataclass(frozen=True, slots=True)
class PerformanceSummary:
    """The statements that cost most, and what waiting for connections cost. `str` gives text of 80 columns."""

    uptime_s: float
    roles: Mapping[str, RoleFigures]
    by_total: tuple[StatementFigures, ...]
    by_mean: tuple[StatementFigures, ...]
    by_calls: tuple[StatementFigures, ...]
    by_errors: tuple[StatementFigures, ...]
    """Only those that have failed."""

    pools: Mapping[str, PoolFigures]

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON."""
        found: dict[str, Any] = plain(self)
        return found


def summary_of(manager: DatabaseManager, top: int = 5) -> PerformanceSummary:
    """Return the `top` statements of each kind. Asks no database and waits for nothing."""
    raise NotImplementedError
