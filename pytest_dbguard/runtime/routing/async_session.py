"""The asynchronous session whose reads go to replicas and whose writes go to primary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import await_only

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.seams import RoutedManager
from pytest_dbguard.runtime.routing.servers import Servers
from pytest_dbguard.runtime.routing.session import RoutingSession


class _ServersWithin(Servers):
    """A manager's servers by their asynchronous engines: it runs in a greenlet, which waits for coroutines."""

    is_async = True

    def engine(self, role: Role, target: str | None = None) -> Engine:
        return self.manager.async_engine(role, target=target).sync_engine

    def choose(self, needed: Position | None, without: Sequence[str]) -> str | None:
        replicas = self.manager.replicas
        steps = replicas.choosing(needed)
        try:
            step = next(steps)
        except StopIteration as end:
            # mostly enough is known, and nothing is to be waited for
            return replicas.draw(end.value, without)
        return await_only(replicas.go_on(steps, step, without))


class _SessionWithin(RoutingSession):
    """The session that an asynchronous one works through."""

    _servers = _ServersWithin


class AsyncRoutingSession(AsyncSession):
    """An asynchronous session whose reads go to replicas and whose writes go to primary: see `RoutingSession`."""

    sync_session_class = _SessionWithin
    sync_session: _SessionWithin

    def __init__(self, manager: RoutedManager, **options: Any) -> None:
        """Take options as SQLAlchemy's `AsyncSession` does."""
        super().__init__(manager=manager, **options)

    @property
    def position(self) -> Position | None:
        """Return where primary's log was after this session's last commit that wrote; None before."""
        return self.sync_session.position

    @contextmanager
    def using(self, role: Role) -> Iterator[None]:
        """Lead the block's statements to a role, except those that write.

        Raises:
            ValueError: For a role that does not exist.
        """
        with self.sync_session.using(role):
            yield
