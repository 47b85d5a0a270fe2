"""How the servers are: one tree for all roles, liveness and readiness, and checks in the background."""

from pytest_dbguard.runtime.health.checker import HealthChecker, health, health_async
from pytest_dbguard.runtime.health.model import Health, Liveness, Readiness, RoleHealth, Status, TargetHealth

__all__ = [
    "Health",
    "HealthChecker",
    "Liveness",
    "Readiness",
    "RoleHealth",
    "Status",
    "TargetHealth",
    "health",
    "health_async",
]
