"""Sessions and transactions by role, on the engines that a manager hands out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.clock import Clock
from pytest_dbguard.runtime.role_sessions import RoleAsyncSessions, RoleSessions
from pytest_dbguard.runtime.routing import AsyncRoutingSession, Replicas, RoutingSession
from pytest_dbguard.runtime.routing.noting import NotingSession, noting
from pytest_dbguard.runtime.transactions import DEFAULT_BACKOFF, Backoff, Transactions

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
    from sqlalchemy.orm import Session

    from pytest_dbguard.runtime.events import Events
    from pytest_dbguard.runtime.settings import DatabaseSettings

T = TypeVar("T")


class RoleAccess(ABC):
    """What of a manager the application's work is done with."""

    settings: DatabaseSettings
    clock: Clock
    events: Events
    replicas: Replicas

    @abstractmethod
    def engine(self, role: Role = "primary", *, target: str | None = None) -> Engine:
        """Return the engine of a role, or of one of its servers by name."""

    @abstractmethod
    def async_engine(self, role: Role = "primary", *, target: str | None = None) -> AsyncEngine:
        """Return the asynchronous engine of a role, or of one of its servers by name."""

    @abstractmethod
    def need_started(self) -> None:
        """Raise where nothing is handed out any more."""

    def session(self, role: Role = "primary", **options: Any) -> Session:
        """Return a new session on a role's engine; options as for SQLAlchemy's `Session`."""
        from sqlalchemy.orm import Session

        if not self._notes_commits(role):
            return Session(self.engine(role), **options)
        session = NotingSession(self.engine(role), **options)
        noting(session, self)
        return session

    def async_session(self, role: Role = "primary", **options: Any) -> AsyncSession:
        """Return a new asynchronous session on a role's engine; options as for SQLAlchemy's `AsyncSession`."""
        from sqlalchemy.ext.asyncio import AsyncSession

        if self._notes_commits(role):
            options.setdefault("sync_session_class", NotingSession)
        session = AsyncSession(self.async_engine(role), **options)
        noting(session.sync_session, self)
        return session

    def sessionmaker(self, role: Role = "primary", **options: Any) -> RoleSessions:
        """Return a `sessionmaker` that chooses the role's server for each session anew."""
        if self._notes_commits(role):
            options.setdefault("class_", NotingSession)
        return RoleSessions(self, role, options)

    def async_sessionmaker(self, role: Role = "primary", **options: Any) -> RoleAsyncSessions:
        """Return an `async_sessionmaker` that chooses the role's server for each session anew."""
        if self._notes_commits(role):
            options.setdefault("sync_session_class", NotingSession)
        return RoleAsyncSessions(self, role, options)

    def routing_session(self, **options: Any) -> RoutingSession:
        """Return a session whose reads go to replicas and whose writes go to primary."""
        self.need_started()
        return RoutingSession(self, **options)

    def async_routing_session(self, **options: Any) -> AsyncRoutingSession:
        """Return an asynchronous session whose reads go to replicas and whose writes go to primary."""
        self.need_started()
        return AsyncRoutingSession(self, **options)

    def run(
        self,
        work: Callable[[Session], T],
        *,
        retries: int = 3,
        role: Role = "primary",
        isolation: str | None = None,
        backoff: Backoff = DEFAULT_BACKOFF,
    ) -> T:
        """Do `work` in a transaction that is committed at its end, and again where that is safe: see `Transactions`."""
        return Transactions(self).run(work, retries=retries, role=role, isolation=isolation, backoff=backoff)

    async def run_async(
        self,
        work: Callable[[AsyncSession], Awaitable[T]],
        *,
        retries: int = 3,
        role: Role = "primary",
        isolation: str | None = None,
        backoff: Backoff = DEFAULT_BACKOFF,
    ) -> T:
        """Do asynchronous `work` in a transaction, as `run` does."""
        return await Transactions(self).run_async(
            work, retries=retries, role=role, isolation=isolation, backoff=backoff
        )

    def _notes_commits(self, role: Role) -> bool:
        """Whether what a role's sessions commit has to be there for those that read from replicas."""
        return role == "primary" and self.replicas.are_there
