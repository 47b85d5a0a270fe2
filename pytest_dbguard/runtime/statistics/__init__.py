"""What statements and pools have done: counted in bounded memory, told as data and as text."""

from pytest_dbguard.runtime.statistics.figures import RoleFigures, StatementFigures
from pytest_dbguard.runtime.statistics.ledger import OWN
from pytest_dbguard.runtime.statistics.metrics import ManagerMetrics, metrics_of
from pytest_dbguard.runtime.statistics.statements import StatementStatistics
from pytest_dbguard.runtime.statistics.summary import PerformanceSummary, summary_of

__all__ = [
    "OWN",
    "ManagerMetrics",
    "PerformanceSummary",
    "RoleFigures",
    "StatementFigures",
    "StatementStatistics",
    "metrics_of",
    "summary_of",
]
