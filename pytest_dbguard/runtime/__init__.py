"""The production companion: engines by role, pools, routing, health, and one service that starts and stops it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_dbguard.runtime.process_service import get_database_service as get_database_service
    from pytest_dbguard.runtime.process_service import override_database_service as override_database_service
    from pytest_dbguard.runtime.process_service import set_database_service as set_database_service
    from pytest_dbguard.runtime.role_client import RoleClient as RoleClient
    from pytest_dbguard.runtime.service import DatabaseService as DatabaseService

_MODULES = {
    "DatabaseService": "service",
    "RoleClient": "role_client",
    "get_database_service": "process_service",
    "override_database_service": "process_service",
    "set_database_service": "process_service",
}
__all__ = [
    "DatabaseService",
    "RoleClient",
    "get_database_service",
    "override_database_service",
    "set_database_service",
]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: who needs settings only does not pay for engines."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
