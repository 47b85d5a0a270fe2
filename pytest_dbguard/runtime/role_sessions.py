"""Makers of sessions that choose the server of their role for each session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, sessionmaker

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.routing.noting import noting

if TYPE_CHECKING:
    from pytest_dbguard.runtime.role_access import RoleAccess


class RoleSessions(sessionmaker[Session]):
    """Makes sessions on the engine of a role, which may be another replica each time."""

    def __init__(self, manager: RoleAccess, role: Role, options: dict[str, Any]) -> None:
        super().__init__(**options)
        self._manager = manager
        self._role = role

    def __call__(self, **local_kw: Any) -> Session:
        """Return a new session."""
        if "bind" not in local_kw:
            local_kw["bind"] = self._manager.engine(self._role)
        session = super().__call__(**local_kw)
        noting(session, self._manager)
        return session


class RoleAsyncSessions(async_sessionmaker[AsyncSession]):
    """Makes asynchronous sessions on the engine of a role, which may be another replica each time."""

    def __init__(self, manager: RoleAccess, role: Role, options: dict[str, Any]) -> None:
        super().__init__(**options)
        self._manager = manager
        self._role = role

    def __call__(self, **local_kw: Any) -> AsyncSession:
        """Return a new session."""
        if "bind" not in local_kw:
            local_kw["bind"] = self._manager.async_engine(self._role)
        session = super().__call__(**local_kw)
        noting(session.sync_session, self._manager)
        return session
