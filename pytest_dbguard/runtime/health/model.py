"""What is known of the health of all servers at one moment, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pytest_dbguard.runtime.plain import plain

if TYPE_CHECKING:
    from pytest_dbguard.runtime.pools.stats import PoolFigures

Status = Literal["healthy", "degraded", "unhealthy"]
STATUSES: tuple[Status, ...] = ("healthy", "degraded", "unhealthy")
"""From best to worst."""

_NAME = 12


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """What one server answered, or why it did not. None stands for what is not known or does not apply."""

    role: str
    name: str
    """Of the server within its role, such as "readonly-2"."""

    status: Status
    reachable: bool
    """Whether a connection was made and answered. That was one of its own: the pool's may all be out."""

    read_only: bool | None = None
    """Whether the server refuses writes: a replica, `default_transaction_read_only`, a file without permission."""

    lag_s: float | None = None
    """How old what a replica shows may be at most, in seconds; 0.0 when it has replayed all that there is."""

    lag_bytes: int | None = None
    """Bytes of write-ahead log that a replica has still to replay: behind the primary where that answered, else behind
    what it has received itself."""

    pool: PoolFigures | None = None
    """Of the application's connections; those of several engines on this server are one sum."""

    latency_ms: float | None = None
    """One question and its answer, without the time to connect."""

    connect_ms: float | None = None
    """The time to connect, with TLS and authentication."""

    revision: str | None = None
    """The migration in Alembic's table; several heads are sorted and joined by ", "."""

    disk_free_bytes: int | None = None
    """On the disk that holds the file of an SQLite database."""

    reason: str = ""
    """Why it is not healthy, without names of hosts, users or values."""

    checked_at: float = 0.0
    """When, in seconds since 1970."""

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON."""
        found: dict[str, Any] = plain(self)
        return found


@dataclass(frozen=True, slots=True)
class RoleHealth:
    """The servers of one role."""

    role: str
    status: Status
    """Of replicas: unhealthy when all are, degraded when some are not healthy."""

    targets: Mapping[str, TargetHealth]
    served_by: str
    """The role whose servers these are: "primary" for a role without servers of its own."""

    @property
    def reason(self) -> str:
        """What is wrong with its servers, each with its name; "" when all are healthy."""
        return "; ".join(f"{each.name}: {each.reason}" for each in self.targets.values() if each.reason)

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON; a role without servers of its own names whose it uses instead."""
        if self.served_by != self.role:
            return {"status": self.status, "served_by": self.served_by}
        return {"status": self.status, "targets": {name: each.to_dict() for name, each in self.targets.items()}}


@dataclass(frozen=True, slots=True)
class Health:
    """The health of everything: unhealthy when the primary is, degraded when anything else is not healthy.

    `str` gives a line for each server, for people.
    """

    status: Status
    roles: Mapping[str, RoleHealth]
    checked_at: float
    """When the answer was complete, in seconds since 1970."""

    elapsed_ms: float
    """How long asking took."""

    @property
    def ok(self) -> bool:
        """Whether the application can do its work, if with less than it should have."""
        return self.status != "unhealthy"

    @property
    def targets(self) -> Mapping[str, TargetHealth]:
        """Every server, by its name."""
        return {name: each for role in self.roles.values() for name, each in role.targets.items()}

    @property
    def reason(self) -> str:
        """What is wrong, server by server; "" when nothing is."""
        own = (role for name, role in self.roles.items() if role.served_by == name)
        return "; ".join(role.reason for role in own if role.reason)

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON."""
        return {
            "status": self.status,
            "roles": {name: role.to_dict() for name, role in self.roles.items()},
            "checked_at": self.checked_at,
            "elapsed_ms": round(self.elapsed_ms, 3),
        }

    def __str__(self) -> str:
        return "\n".join((self.status, *self._lines()))

    def _lines(self) -> Iterator[str]:
        for name, role in self.roles.items():
            if role.served_by != name:
                yield f"  {name:<{_NAME}} served by {role.served_by}"
                continue
            for target in role.targets.values():
                yield f"  {target.name:<{_NAME}} {target.status:<{_NAME}} {target.reason}".rstrip()


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether the process should be left alone: it answers. No database is asked, since a restart mends none."""

    ok: bool
    state: str
    """Of the manager: new, started, stopping or stopped."""

    pid: int

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON."""
        found: dict[str, Any] = plain(self)
        return found


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests should be sent here: not stopping, primary usable, a connection to be had."""

    ok: bool
    state: str
    reasons: tuple[str, ...]
    """Why not, each one sentence; () when it is ready."""

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON."""
        found: dict[str, Any] = plain(self)
        return found


def worst(statuses: Mapping[str, Status] | tuple[Status, ...]) -> Status:
    """Return the worst of several; "healthy" of none."""
    values = statuses.values() if isinstance(statuses, Mapping) else statuses
    return max(values, key=STATUSES.index, default="healthy")
