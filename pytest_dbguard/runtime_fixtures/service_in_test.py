"""A database service whose engines lead to the test's database, for one test after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_dbguard.runtime.clock import Clock
from pytest_dbguard.runtime.engine_set import EngineOfTarget
from pytest_dbguard.runtime.service import DatabaseService
from pytest_dbguard.runtime.settings import DatabaseSettings
from pytest_dbguard.runtime_fixtures.one_server import OneServer
from pytest_dbguard.testing.fixtures import Bind

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine


class ServiceInTest(DatabaseService):
    """A service each engine of which leads to the test's database, from when it is made until it is let go."""

    def __init__(self, settings: DatabaseSettings, clock: Clock, bind: Bind) -> None:
        super().__init__(settings, clock=clock)
        self._bind = bind
        self._bound: list[Engine | AsyncEngine] = []
        self.on_engine(self._lead)
        self._manager.replicas = OneServer(self._manager)

    def stop(self, deadline_s: float | None = None) -> None:
        """Stop, and leave the one connection alone that is everybody's in a test that is rolled back."""
        self._give_lent_pools_back()
        super().stop(deadline_s)

    async def stop_async(self, deadline_s: float | None = None) -> None:
        """Stop as `stop` does."""
        self._give_lent_pools_back()
        await super().stop_async(deadline_s)

    def end(self) -> None:
        """Let all engines go and stop at once."""
        for engine in self._bound:
            self._bind.release(engine)
        self._bound.clear()
        super().stop(0.0)

    def _lead(self, made: EngineOfTarget) -> None:
        engine = made.async_engine or made.engine
        self._bind(engine, made.target.role)
        self._bound.append(engine)

    def _give_lent_pools_back(self) -> None:
        for engine in list(self._bound):
            if getattr(engine.pool, "is_lent", False):
                self._bind.release(engine)
                self._bound.remove(engine)


class ServicesInTests:
    """Makes a service for each test. It ends when the next one begins: what a test leaves open is told before."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind
        self._last: ServiceInTest | None = None

    def begin(self, settings: DatabaseSettings, clock: Clock) -> DatabaseService:
        """End the last service and return a new one."""
        self.end()
        self._last = ServiceInTest(settings, clock, self._bind)
        return self._last

    def end(self) -> None:
        """End the last service."""
        if self._last is not None:
            self._last.end()
            self._last = None
