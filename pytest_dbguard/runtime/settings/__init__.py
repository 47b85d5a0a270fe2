"""One central configuration: profiles, keyword arguments, variables, secret files and TOML, checked all at once."""

from __future__ import annotations

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.settings.database_url import DatabaseUrl
from pytest_dbguard.runtime.settings.model import DatabaseSettings
from pytest_dbguard.runtime.settings.parts import (
    BackupSettings,
    LoggingSettings,
    MiddlewareSettings,
    MonitoringSettings,
    SecuritySettings,
)
from pytest_dbguard.runtime.settings.password import Password
from pytest_dbguard.runtime.settings.profiles import PROFILES, Profile
from pytest_dbguard.runtime.settings.roles import (
    ReplicaSettings,
    RoleSettings,
    RolesSettings,
    RoutingSettings,
    Target,
)
from pytest_dbguard.runtime.settings.sections import PoolSettings, TimeoutSettings, TlsSettings

__all__ = [
    "PROFILES",
    "BackupSettings",
    "DatabaseSettings",
    "DatabaseUrl",
    "LoggingSettings",
    "MiddlewareSettings",
    "MonitoringSettings",
    "Password",
    "PoolSettings",
    "Profile",
    "ReplicaSettings",
    "Role",
    "RoleSettings",
    "RolesSettings",
    "RoutingSettings",
    "SecuritySettings",
    "Target",
    "TimeoutSettings",
    "TlsSettings",
]
