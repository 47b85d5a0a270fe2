"""The production companion: engines by role, pools, routing, health, and one service that starts and stops it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_dbguard.runtime.clock import SYSTEM_CLOCK as SYSTEM_CLOCK
    from pytest_dbguard.runtime.clock import Clock as Clock
    from pytest_dbguard.runtime.errors import NotConfigured as NotConfigured
    from pytest_dbguard.runtime.errors import NotStarted as NotStarted
    from pytest_dbguard.runtime.errors import PoolExhausted as PoolExhausted
    from pytest_dbguard.runtime.errors import PoolSaturated as PoolSaturated
    from pytest_dbguard.runtime.errors import RuntimeFault as RuntimeFault
    from pytest_dbguard.runtime.errors import ShuttingDown as ShuttingDown
    from pytest_dbguard.runtime.errors import UnknownOutcome as UnknownOutcome
    from pytest_dbguard.runtime.events import ErrorEvent as ErrorEvent
    from pytest_dbguard.runtime.events import Events as Events
    from pytest_dbguard.runtime.events import FailoverEvent as FailoverEvent
    from pytest_dbguard.runtime.events import HealthEvent as HealthEvent
    from pytest_dbguard.runtime.events import PoolEvent as PoolEvent
    from pytest_dbguard.runtime.events import QueryEvent as QueryEvent
    from pytest_dbguard.runtime.health import Health as Health
    from pytest_dbguard.runtime.health import HealthChecker as HealthChecker
    from pytest_dbguard.runtime.health import Liveness as Liveness
    from pytest_dbguard.runtime.health import Readiness as Readiness
    from pytest_dbguard.runtime.health import RoleHealth as RoleHealth
    from pytest_dbguard.runtime.health import TargetHealth as TargetHealth
    from pytest_dbguard.runtime.manager import DatabaseManager as DatabaseManager
    from pytest_dbguard.runtime.manual_clock import ManualClock as ManualClock
    from pytest_dbguard.runtime.pools.policy import PoolPolicy as PoolPolicy
    from pytest_dbguard.runtime.pools.queue_pool import AsyncGuardedQueuePool as AsyncGuardedQueuePool
    from pytest_dbguard.runtime.pools.queue_pool import GuardedQueuePool as GuardedQueuePool
    from pytest_dbguard.runtime.pools.stats import PoolFigures as PoolFigures
    from pytest_dbguard.runtime.pools.stats import PoolStats as PoolStats
    from pytest_dbguard.runtime.process_service import get_database_service as get_database_service
    from pytest_dbguard.runtime.process_service import override_database_service as override_database_service
    from pytest_dbguard.runtime.process_service import set_database_service as set_database_service
    from pytest_dbguard.runtime.role_client import RoleClient as RoleClient
    from pytest_dbguard.runtime.routing import AsyncRoutingSession as AsyncRoutingSession
    from pytest_dbguard.runtime.routing import Position as Position
    from pytest_dbguard.runtime.routing import PositionASGI as PositionASGI
    from pytest_dbguard.runtime.routing import PositionWSGI as PositionWSGI
    from pytest_dbguard.runtime.routing import Replicas as Replicas
    from pytest_dbguard.runtime.routing import RoutingSession as RoutingSession
    from pytest_dbguard.runtime.routing import note_write as note_write
    from pytest_dbguard.runtime.routing import position_scope as position_scope
    from pytest_dbguard.runtime.service import DatabaseService as DatabaseService
    from pytest_dbguard.runtime.settings import DatabaseSettings as DatabaseSettings
    from pytest_dbguard.runtime.settings import ReplicaSettings as ReplicaSettings
    from pytest_dbguard.runtime.settings import RoleSettings as RoleSettings
    from pytest_dbguard.runtime.settings import Target as Target
    from pytest_dbguard.runtime.shutdown import ShutdownReport as ShutdownReport
    from pytest_dbguard.runtime.statistics import ManagerMetrics as ManagerMetrics
    from pytest_dbguard.runtime.statistics import PerformanceSummary as PerformanceSummary
    from pytest_dbguard.runtime.statistics import StatementStatistics as StatementStatistics

_MODULES = {
    "AsyncGuardedQueuePool": "pools.queue_pool",
    "AsyncRoutingSession": "routing",
    "Clock": "clock",
    "DatabaseManager": "manager",
    "DatabaseService": "service",
    "DatabaseSettings": "settings",
    "ErrorEvent": "events",
    "Events": "events",
    "FailoverEvent": "events",
    "GuardedQueuePool": "pools.queue_pool",
    "Health": "health",
    "HealthChecker": "health",
    "HealthEvent": "events",
    "Liveness": "health",
    "ManagerMetrics": "statistics",
    "ManualClock": "manual_clock",
    "NotConfigured": "errors",
    "NotStarted": "errors",
    "PerformanceSummary": "statistics",
    "PoolEvent": "events",
    "PoolExhausted": "errors",
    "PoolFigures": "pools.stats",
    "PoolPolicy": "pools.policy",
    "PoolSaturated": "errors",
    "PoolStats": "pools.stats",
    "Position": "routing",
    "PositionASGI": "routing",
    "PositionWSGI": "routing",
    "QueryEvent": "events",
    "Readiness": "health",
    "ReplicaSettings": "settings",
    "Replicas": "routing",
    "RoleClient": "role_client",
    "RoleHealth": "health",
    "RoleSettings": "settings",
    "RoutingSession": "routing",
    "RuntimeFault": "errors",
    "SYSTEM_CLOCK": "clock",
    "ShutdownReport": "shutdown",
    "ShuttingDown": "errors",
    "StatementStatistics": "statistics",
    "Target": "settings",
    "TargetHealth": "health",
    "UnknownOutcome": "errors",
    "get_database_service": "process_service",
    "note_write": "routing",
    "override_database_service": "process_service",
    "position_scope": "routing",
    "set_database_service": "process_service",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: who needs settings only does not pay for engines.

    Raises:
        ImportError: Where what the extra `runtime` brings is not installed.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    from pytest_dbguard.runtime.installed import need_extra

    need_extra()
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, for who explores."""
    return sorted({*globals(), *__all__})
