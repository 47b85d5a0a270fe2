"""The asynchronous session whose reads go to replicas and whose writes go to primary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncSession

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.seams import RoutedManager
from pytest_dbguard.runtime.routing.session import RoutingSession


class _SessionWithin(RoutingSession):
    """The session that an asynchronous one works through."""

    def get_bind(
        self, *arguments: Any, bind: Engine | Connection | None = None, **keywords: Any
    ) -> Engine | Connection:
        return bind or self._manager.async_engine("primary").sync_engine


class AsyncRoutingSession(AsyncSession):
    """An asynchronous session whose reads go to replicas and whose writes go to primary."""

    sync_session_class = _SessionWithin
    sync_session: _SessionWithin

    def __init__(self, manager: RoutedManager, **options: Any) -> None:
        super().__init__(manager=manager, **options)

    @property
    def position(self) -> Position | None:
        """Return where primary's log was after this session's last commit that wrote; None before."""
        return self.sync_session.position

    @contextmanager
    def using(self, role: Role) -> Iterator[None]:
        """Lead the block's reads to a role."""
        with self.sync_session.using(role):
            yield
