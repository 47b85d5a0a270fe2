"""What routing needs to know of a manager, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.clock import Clock
from pytest_dbguard.runtime.events import Events

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from pytest_dbguard.runtime.routing.replicas import Replicas


class RoutedTarget(Protocol):
    """One server of a role."""

    @property
    def role(self) -> Role:
        """Return its role."""
        ...

    @property
    def name(self) -> str:
        """Return its name, such as "readonly-2"."""
        ...

    @property
    def weight(self) -> float:
        """Return its share of the reads, relative to the other replicas; 0 takes none."""
        ...


class RoutingOptions(Protocol):
    """The settings' section `routing`."""

    @property
    def max_lag_s(self) -> float:
        """Return how many seconds a replica may lag behind."""
        ...

    @property
    def wait_s(self) -> float:
        """Return how many seconds a read may wait for a replica to reach a position."""
        ...

    @property
    def eject_after(self) -> int:
        """Return after how many failures in a row a replica takes no reads."""
        ...

    @property
    def return_after_s(self) -> float:
        """Return after how many seconds it is tried again."""
        ...

    @property
    def cookie(self) -> str:
        """Return the name of the cookie that holds a client's position."""
        ...

    @property
    def header(self) -> str:
        """Return the name of the header that holds it."""
        ...

    @property
    def token_max_age_s(self) -> float:
        """Return how many seconds a client keeps the cookie."""
        ...


class RoutedSettings(Protocol):
    """The manager's settings."""

    @property
    def routing(self) -> RoutingOptions:
        """Return the section `routing`."""
        ...

    def targets(self) -> Sequence[RoutedTarget]:
        """Return the configured servers."""
        ...


class RoutedManager(Protocol):
    """Who hands out engines by role; weakly referable."""

    @property
    def settings(self) -> RoutedSettings:
        """Return the settings."""
        ...

    @property
    def clock(self) -> Clock:
        """Return where the time comes from."""
        ...

    @property
    def events(self) -> Events:
        """Return the subscribers."""
        ...

    @property
    def replicas(self) -> Replicas:
        """Return who chooses replicas."""
        ...

    def engine(self, role: Role = "primary", *, target: str | None = None) -> Engine:
        """Return a role's engine, or that of one of its servers."""
        ...

    def async_engine(self, role: Role = "primary", *, target: str | None = None) -> AsyncEngine:
        """Return a role's asynchronous engine, or that of one of its servers."""
        ...
