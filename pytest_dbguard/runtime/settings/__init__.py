"""One central configuration: profiles, keyword arguments, variables, secret files and TOML, checked all at once.

In pyproject.toml (in a dbguard.toml the same under [runtime]), where a profile's own table stands over the common one:

    [tool.dbguard.runtime]
    processes = 4
    roles.readonly.replicas = ["postgresql://app@replica-1/shop", {url = "postgresql://app@replica-2/shop", weight = 2}]
    [tool.dbguard.runtime.production]
    pool.size = 20

Variables win over files, and keyword arguments over both. What must not stand in a file that is committed:

    DBGUARD_RUNTIME_PROFILE=production
    DBGUARD_RUNTIME_URL=postgresql://app@primary/shop
    DBGUARD_RUNTIME_PASSWORD_FILE=/run/secrets/database
    DBGUARD_RUNTIME_ROLES__ANALYTICS__STATEMENT_S=900
"""

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
