"""The servers that the settings name, by role."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, get_args

from pytest_dbguard.core.errors import ConfigError, did_you_mean
from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.settings.database_url import DatabaseUrl
from pytest_dbguard.runtime.settings.fields import Path
from pytest_dbguard.runtime.settings.layers import is_said
from pytest_dbguard.runtime.settings.roles import RoleSettings, Target
from pytest_dbguard.runtime.settings.sections import PoolSettings
from pytest_dbguard.runtime.settings.variable_names import variable_name

if TYPE_CHECKING:
    from pytest_dbguard.runtime.settings.model import DatabaseSettings


_OF_ENGINE: Final[tuple[Path, ...]] = (
    ("statement_s",),
    ("isolation",),
    *(("pool", name) for name in PoolSettings.model_fields),
)
"""What only an engine of the role's own can keep to."""


def targets_of(settings: DatabaseSettings) -> tuple[Target, ...]:
    """Return the servers, the primary first, replicas in their order."""
    return (
        *_single(settings, "primary", "primary"),
        *_replicas(settings),
        *_single(settings, "analytics", "analytics"),
    )


def target_of(settings: DatabaseSettings, role: Role, name: str | None) -> Target:
    """Return the first server of the role, or the one of that name, or else the primary.

    Raises:
        ConfigError: When there is none, or no such role.
    """
    if role not in (roles := get_args(Role)):
        raise ConfigError(f"there is no role {role!r}", hint=did_you_mean(str(role), roles))
    targets = targets_of(settings)
    if name is not None:
        found = next((target for target in targets if target.name == name), None)
        if found is None:
            hint = did_you_mean(name, [target.name for target in targets])
            raise ConfigError(f"there is no server {name!r} in the settings", hint=hint)
        return found
    of_role = next((target for target in targets if target.role == role), None)
    primary = next((target for target in targets if target.role == "primary"), None)
    target = of_role or primary
    if target is None:
        hint = f"set {variable_name(('url',))}, or `url` in [tool.dbguard.runtime]"
        raise ConfigError("nothing says where the primary database is", hint=hint)
    return target


def _single(settings: DatabaseSettings, role: Role, name: str) -> tuple[Target, ...]:
    of_role: RoleSettings = getattr(settings.roles, role)
    if of_role.url is not None:
        return (_target(settings, role, name, of_role.url),)
    if role == "primary" or not _has_wishes(settings, role):
        return ()
    return tuple(replace(primary, role=role, name=name) for primary in _single(settings, "primary", "primary"))


def _has_wishes(settings: DatabaseSettings, role: Role) -> bool:
    """Whether somebody said how the role's engine should be: not the profile, which says so of servers in general."""
    return any(is_said(settings.source(("roles", role, *path))) for path in _OF_ENGINE)


def _replicas(settings: DatabaseSettings) -> tuple[Target, ...]:
    if not settings.roles.readonly.replicas:
        return _single(settings, "readonly", "readonly-1")
    return tuple(
        _target(settings, "readonly", f"readonly-{number}", replica.url, replica.weight)
        for number, replica in enumerate(settings.roles.readonly.replicas, 1)
    )


def _target(settings: DatabaseSettings, role: Role, name: str, url: DatabaseUrl, weight: float = 1.0) -> Target:
    of_role: RoleSettings = getattr(settings.roles, role)
    password = of_role.password or settings.password
    if password is not None and url.takes_password:
        url = url.with_password(password.get_secret_value())
    return Target(role, name, weight, url, of_role.password_from or settings.password_from)
