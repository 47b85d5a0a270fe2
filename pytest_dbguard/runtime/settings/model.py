"""`DatabaseSettings`: the one central configuration of the runtime."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, NoReturn, Self

from pydantic import BaseModel, Field, PrivateAttr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL

from pytest_dbguard.config.problems import Problem, raise_problems
from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.settings.database_url import DatabaseUrl, not_pickled
from pytest_dbguard.runtime.settings.fields import Path
from pytest_dbguard.runtime.settings.gathering import Gathered, Sources, gathered, read_shared
from pytest_dbguard.runtime.settings.layers import Layer
from pytest_dbguard.runtime.settings.parts import (
    BackupSettings,
    LoggingSettings,
    MiddlewareSettings,
    MonitoringSettings,
    SecuritySettings,
)
from pytest_dbguard.runtime.settings.password import Password
from pytest_dbguard.runtime.settings.profiles import Profile
from pytest_dbguard.runtime.settings.requirements import unmet
from pytest_dbguard.runtime.settings.roles import OnlyKeyword, RolesSettings, RoutingSettings, Target
from pytest_dbguard.runtime.settings.sections import Number, PoolSettings, Text, TimeoutSettings, TlsSettings
from pytest_dbguard.runtime.settings.tables import TableReader
from pytest_dbguard.runtime.settings.targets import targets_of
from pytest_dbguard.runtime.settings.toml_file import read_toml
from pytest_dbguard.runtime.settings.urls import engine_url
from pytest_dbguard.runtime.settings.variables import read_variables

if TYPE_CHECKING:
    from pytest_dbguard.runtime.pools.policy import PoolPolicy


class DatabaseSettings(BaseSettings):
    """All settings of the runtime.

    Made by a call, they hold its keyword arguments, then what variables `DBGUARD_RUNTIME_*` say (`__` between the parts
    of a key, `*_FILE` for a file that holds the value), then the defaults of the profile. `load` reads the project's
    TOML file too, between variables and defaults. Nothing that may be a password is ever shown; pickle refuses.

    Raises:
        ConfigError: That tells everything that is wrong, each with its place, its key and what to do next.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    profile: Profile = "development"
    """What the settings are for: decides the defaults and how strict they are. Else DBGUARD_ENV says it."""

    app: Text = "dbguard"
    """Name of the application, which the server sees with the role, as in "shop:readonly"."""

    url: DatabaseUrl | None = None
    """Where the primary is; short for roles.primary.url."""

    password: Password | None = None
    """Password for all URLs that have none."""

    password_from: OnlyKeyword = None
    """Function that returns the password of now, for all roles without their own; only as keyword argument."""

    processes: Number = 1
    """Processes of the application that open pools, over all machines; `dbguard doctor` counts connections by it."""

    pool: PoolSettings = Field(default_factory=PoolSettings)
    """How many connections a process keeps."""

    timeouts: TimeoutSettings = Field(default_factory=TimeoutSettings)
    """How long anything may take."""

    tls: TlsSettings = Field(default_factory=TlsSettings)
    """How connections are encrypted."""

    roles: RolesSettings = Field(default_factory=RolesSettings)
    """The servers by role."""

    routing: RoutingSettings = Field(default_factory=RoutingSettings)
    """When a replica may answer."""

    middleware: MiddlewareSettings = Field(default_factory=MiddlewareSettings)
    """What is put between the application and its sessions."""

    monitoring: MonitoringSettings = Field(default_factory=MonitoringSettings)
    """What is watched."""

    backup: BackupSettings = Field(default_factory=BackupSettings)
    """When backups are made."""

    security: SecuritySettings = Field(default_factory=SecuritySettings)
    """What the settings themselves must keep to."""

    logging: LoggingSettings = Field(default_factory=LoggingSettings)
    """What is logged."""

    _found: Layer = PrivateAttr(default_factory=Layer)
    _memory: str = PrivateAttr(default_factory=lambda: f"dbguard-{secrets.token_hex(8)}")

    def __init__(self, **values: Any) -> None:
        raise_problems(self._called(values))

    @classmethod
    def load(
        cls,
        root: FilePath | None = None,
        *,
        file: FilePath | None = None,
        profile: str | None = None,
        environ: Mapping[str, str] | None = None,
        **overrides: Any,
    ) -> Self:
        """Return the settings that the project's file, the variables and the overrides say together.

        Args:
            root: Directory of the project, whose pyproject.toml or dbguard.toml is read; the current one when None.
            file: Read this TOML file (relative to `root`) instead of looking for one. It must exist.
            profile: The profile in use, whatever file and variables say.
            environ: Variables to read; those of the process when None.
            overrides: Settings by name, as for `DatabaseSettings` itself; they win.

        Raises:
            ConfigError: That tells everything that is wrong in all sources.
        """
        settings, problems = cls.examine(root, file=file, profile=profile, environ=environ, **overrides)
        # whoever reports an error with all variables of all frames would send them away
        overrides.clear()
        del environ, profile
        raise_problems(problems)
        return settings

    @classmethod
    def examine(
        cls,
        root: FilePath | None = None,
        *,
        file: FilePath | None = None,
        profile: str | None = None,
        environ: Mapping[str, str] | None = None,
        **overrides: Any,
    ) -> tuple[Self, tuple[Problem, ...]]:
        """Return the settings as far as they are right, and all that is wrong with them; arguments as for `load`.

        For who shows them; an application calls `load`.
        """
        if profile is not None:
            overrides["profile"] = profile
        keywords = _keywords(cls, "DatabaseSettings.load", overrides)
        variables = os.environ if environ is None else environ
        of_file = read_toml(cls, FilePath.cwd() if root is None else root, file)
        sources = Sources(keywords, read_variables(cls, variables), of_file, read_shared(variables))
        settings = cls.__new__(cls)
        return settings, settings._accept(gathered(cls, sources))

    def _called(self, values: dict[str, Any]) -> tuple[Problem, ...]:
        keywords = _keywords(type(self), "DatabaseSettings", values)
        variables = read_variables(type(self), os.environ)
        return self._accept(gathered(type(self), Sources(keywords, variables, shared=read_shared(os.environ))))

    def _accept(self, found: Gathered) -> tuple[Problem, ...]:
        """Take on the settings, and return all that is wrong with them."""
        values = dict(found.layer.values)
        primary = (values.get("roles") or {}).get("primary") or {}
        # not the way of BaseSettings, which would read the variables once more
        BaseModel.__init__(self, **values, url=primary.get("url"))
        self._found = found.layer
        return (*found.layer.problems, *unmet(self, found))

    @classmethod
    def unchecked(cls, values: Mapping[str, Any]) -> Self:
        """Return settings of these values alone, right by type and not looked at any further."""
        settings = cls.__new__(cls)
        BaseModel.__init__(settings, **values)
        return settings

    def source(self, path: Path) -> str:
        """Return where the setting came from: a file with its table, a variable, a call, a profile, or "default"."""
        origin = self._found.origin(path)
        if origin is None:
            return "default"
        table = origin.key.rpartition(".")[0] if origin.is_file else ""
        return f"{origin.place} [{table}]" if table else origin.place

    def targets(self) -> tuple[Target, ...]:
        """Return the servers that are configured, the primary first; a role without any is led to the primary.

        To an engine of its own, where somebody said how its pool, time limit or isolation should be.
        """
        return targets_of(self)

    def target(self, role: Role, name: str | None = None) -> Target:
        """Return the server of a role, or of several the one of that name; the primary where the role has none.

        Raises:
            ConfigError: When nothing says where the primary is, or there is no server of that name.
        """
        from pytest_dbguard.runtime.settings.targets import target_of

        return target_of(self, role, name)

    def pool_of(self, role: Role) -> PoolSettings:
        """Return the pool of a role's engines: the common settings under those of the role."""
        own = getattr(self.roles, role).pool
        pool = self.pool.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
        return pool.model_copy(update={"warm_up": min(pool.warm_up, pool.size)})

    def pool_policy(self, role: Role = "primary") -> PoolPolicy:
        """Return how long the connections of a role live, when they are checked, and who may wait for one."""
        from pytest_dbguard.runtime.settings.options import policy_of

        return policy_of(self, role)

    def statement_s(self, role: Role) -> float:
        """Return the seconds that a statement of a role may run; 0 is no limit."""
        own: float | None = getattr(self.roles, role).statement_s
        return self.timeouts.statement_s if own is None else own

    def engine_options(
        self, role: Role = "primary", *, is_async: bool = False, target: Target | str | None = None
    ) -> dict[str, Any]:
        """Return what `create_engine`, or `create_async_engine`, gets besides the URL.

        Args:
            role: Whose pool, timeouts and isolation; a role without a server has its own on the primary's.
            is_async: Whether it is for `create_async_engine`.
            target: Which server of the role; the first when None.

        Raises:
            ConfigError: When nothing says where the primary is, or a file of TLS cannot be used.
        """
        from pytest_dbguard.runtime.settings.options import options_for

        led_to = target if isinstance(target, Target) else self.target(role, target)
        return options_for(self, role, led_to, is_async=is_async)

    def engine_url(self, target: Target, *, is_async: bool = False) -> URL:
        """Return the URL for an engine on the target, with its password and with the driver completed.

        Engines on a SQLite database in memory that has no name share one, for as long as one of them is connected.
        """
        return engine_url(target.url, is_async=is_async, memory=self._memory)

    def __eq__(self, other: object) -> bool:
        # where they come from, and what a database in memory is called, makes no difference
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __reduce__(self) -> NoReturn:
        raise not_pickled()


def _keywords(model: type[BaseModel], place: str, values: dict[str, Any]) -> Layer:
    """Return the layer of keyword arguments, and empty them: tracebacks may print the variables of the caller."""
    try:
        return TableReader(model, place, is_file=False).read(values)
    finally:
        values.clear()
