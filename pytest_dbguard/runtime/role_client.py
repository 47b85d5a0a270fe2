"""What an application works with: the sessions and engines of one role."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.errors import RuntimeFault

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
    from sqlalchemy.orm import Session

    from pytest_dbguard.runtime.manager import DatabaseManager

T = TypeVar("T")


class RoleClient:
    """The sessions and engines of one role: `with service.client() as session:`, or `client.session()`.

    A session that a block gives is closed after it, and what was not committed is rolled back. `session()` and
    `async_session()` may be called by any number of threads and tasks; the client itself gives one session at a time.
    """

    def __init__(self, manager: Callable[[], DatabaseManager], role: Role, *, is_routed: bool = False) -> None:
        self._manager = manager
        self.role: Role = role
        self._is_routed = is_routed
        self._session: Session | None = None
        self._async_session: AsyncSession | None = None

    def __repr__(self) -> str:
        return f"<RoleClient {self.role}{' routed' if self._is_routed else ''}>"

    @property
    def engine(self) -> Engine:
        """The engine; for a role with several servers, that of the one which is to be asked next."""
        return self._manager().engine(self.role)

    @property
    def async_engine(self) -> AsyncEngine:
        """The engine for asyncio."""
        return self._manager().async_engine(self.role)

    def session(self, **options: Any) -> Session:
        """Return a session of its own; `options` go to SQLAlchemy's `Session`."""
        manager = self._manager()
        return manager.routing_session(**options) if self._is_routed else manager.session(self.role, **options)

    def async_session(self, **options: Any) -> AsyncSession:
        """Return an asynchronous session of its own; its objects stay readable after a commit, where not told else."""
        options.setdefault("expire_on_commit", False)
        manager = self._manager()
        if self._is_routed:
            return manager.async_routing_session(**options)
        return manager.async_session(self.role, **options)

    def run(self, work: Callable[[Session], T], *, retries: int = 3) -> T:
        """Run a whole transaction and commit it; again when it fails for a reason that passes.

        Works as `DatabaseManager.run` does, in the client's role.
        """
        return self._manager().run(work, retries=retries, role=self.role)

    async def run_async(self, work: Callable[[AsyncSession], Awaitable[T]], *, retries: int = 3) -> T:
        """Do what `run` does, in asyncio."""
        return await self._manager().run_async(work, retries=retries, role=self.role)

    def __enter__(self) -> Session:
        self._need_free(self._session)
        self._session = self.session()
        return self._session

    def __exit__(self, *_: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    async def __aenter__(self) -> AsyncSession:
        self._need_free(self._async_session)
        self._async_session = self.async_session()
        return self._async_session

    async def __aexit__(self, *_: object) -> None:
        session, self._async_session = self._async_session, None
        if session is not None:
            await session.close()

    def _need_free(self, session: object) -> None:
        if session is not None:
            raise RuntimeFault(
                "this client gives a session to another block already",
                hint="where a client is shared, write `with client.session() as session:`",
            )
