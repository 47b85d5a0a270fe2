"""The servers by role, and how reads are spread over replicas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.settings.database_url import DatabaseUrl
from pytest_dbguard.runtime.settings.password import Password
from pytest_dbguard.runtime.settings.sections import Number, PoolSettings, Seconds, SecondsOrOff, Section, Text


def _spelled(value: Any) -> Any:
    return value.upper().replace("_", " ").replace("-", " ") if isinstance(value, str) else value


IsolationLevel = Literal["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT"]
Isolation = Annotated[IsolationLevel, BeforeValidator(_spelled)]
PasswordFrom = Callable[[], str]
"""Returns the password of now, for credentials that rotate; called for every new connection, from any thread."""

Weight = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
OnlyKeyword = Annotated[PasswordFrom | None, Field(exclude=True, repr=False), WithJsonSchema({"type": "null"})]


@dataclass(frozen=True)
class Target:
    """One server of a role."""

    role: Role
    name: str
    """The role's name; replicas are numbered from 1, as in "readonly-2"."""

    weight: float
    """Share of the reads, relative to the other replicas; 0 takes none."""

    url: DatabaseUrl = field(repr=False)
    password_from: PasswordFrom | None = field(default=None, repr=False, compare=False)


class ReplicaSettings(Section):
    """One replica; in a list its URL alone may stand for it."""

    url: DatabaseUrl
    """Where it is."""

    weight: Weight = 1.0
    """Share of the reads, relative to the other replicas."""

    @model_validator(mode="before")
    @classmethod
    def _from_url(cls, value: Any) -> Any:
        is_table = isinstance(value, (dict, ReplicaSettings))
        return value if is_table else {"url": value}


class RolePoolSettings(PoolSettings):
    """What a role says of its pool; the rest is left to `pool`, and shown nowhere."""

    @model_validator(mode="before")
    @classmethod
    def _from_pool(cls, value: Any) -> Any:
        is_pool = isinstance(value, PoolSettings) and not isinstance(value, cls)
        return {name: getattr(value, name) for name in value.model_fields_set} if is_pool else value

    @model_serializer(mode="wrap")
    def _only_what_is_said(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in serialize(self).items() if name in self.model_fields_set}

    def __repr_args__(self) -> Any:
        return [(name, value) for name, value in super().__repr_args__() if name in self.model_fields_set]


class RoleSettings(Section):
    """What one role's engines are led to, and in what they differ."""

    url: DatabaseUrl | None = None
    """Where its server is; none leads the role to the primary."""

    replicas: tuple[ReplicaSettings, ...] = ()
    """Instead of a URL, for "readonly" alone: several servers."""

    password: Password | None = None
    """Password, for URLs that have none."""

    pool: RolePoolSettings = Field(default_factory=RolePoolSettings)
    """What takes the place of the same key in `pool`."""

    statement_s: SecondsOrOff | None = None
    """Seconds that a statement may run, in place of `timeouts.statement_s`; 0 is no limit."""

    isolation: Isolation | None = None
    """Isolation of its transactions; none is the server's own choice."""

    password_from: OnlyKeyword = None
    """Function that returns the password of now, for credentials that rotate; only as keyword argument."""


class RolesSettings(Section):
    """The roles. One without a URL is led to the primary: to a pool of its own where its engine should differ."""

    primary: RoleSettings = Field(default_factory=RoleSettings)
    """Reads and writes."""

    readonly: RoleSettings = Field(default_factory=RoleSettings)
    """Reads only: one server, or several replicas."""

    analytics: RoleSettings = Field(default_factory=RoleSettings)
    """Long reads that must not get in the way of others."""


class RoutingSettings(Section):
    """When a replica may answer, and how a client's next request finds its own writes."""

    max_lag_s: Seconds = 5.0
    """Seconds that a replica may lag behind before it takes no reads."""

    wait_s: SecondsOrOff = 0.1
    """Seconds that a read waits for a replica to reach the client's last write, before it goes to the primary."""

    eject_after: Number = 3
    """Failures in a row after which a replica takes no reads."""

    return_after_s: Seconds = 30.0
    """Seconds after which it is tried again."""

    cookie: Text = "dbguard-position"
    """Cookie that holds the position of a client's last write."""

    header: Text = "X-Dbguard-Position"
    """Header that holds it, for clients without cookies."""

    token_max_age_s: Seconds = 60.0
    """Seconds that a client keeps it; by then every replica that may answer has the write."""
