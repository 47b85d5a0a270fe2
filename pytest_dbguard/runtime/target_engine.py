"""One engine on one server, with all that listens to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine, create_engine, event

from pytest_dbguard.databases.engines import forbid_writes
from pytest_dbguard.databases.event_loops import follow_loop
from pytest_dbguard.databases.sqlite_transactions import mend_sqlite
from pytest_dbguard.runtime.clock import Clock
from pytest_dbguard.runtime.commit_watch import watch_commits
from pytest_dbguard.runtime.events import Events, PoolEvent
from pytest_dbguard.runtime.failover import Failover, follow_primary
from pytest_dbguard.runtime.opened import Opened
from pytest_dbguard.runtime.pools.credentials import RotatingPassword
from pytest_dbguard.runtime.pools.stats import PoolStats

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from pytest_dbguard.runtime.pools.queue_pool import AsyncGuardedQueuePool, GuardedQueuePool
    from pytest_dbguard.runtime.settings import DatabaseSettings, Target
    from pytest_dbguard.runtime.statistics import StatementStatistics


@dataclass(frozen=True, slots=True, eq=False)
class EngineOfTarget:
    """One engine that a manager has made."""

    target: Target
    engine: Engine
    """The engine; of an asynchronous one the synchronous engine inside."""

    async_engine: AsyncEngine | None
    stats: PoolStats
    opened: Opened = field(repr=False)

    @property
    def is_async(self) -> bool:
        """Whether it is an asynchronous engine's."""
        return self.async_engine is not None

    @property
    def pool(self) -> GuardedQueuePool | AsyncGuardedQueuePool:
        """The pool that it uses now."""
        pool: Any = self.engine.pool
        return pool  # type: ignore[no-any-return]

    @property
    def in_use(self) -> int:
        """How many connections callers hold, or are being opened for them."""
        return self.stats.snapshot().in_use


@dataclass(frozen=True, slots=True)
class EngineMaker:
    """Makes engines as the settings say."""

    settings: DatabaseSettings
    events: Events
    clock: Clock
    statistics: StatementStatistics

    def make(self, target: Target, *, is_async: bool) -> EngineOfTarget:
        """Return a new engine, which has not connected yet."""
        stats = PoolStats()
        stats.on_event = partial(_tell, self.events, target)
        options = self.settings.engine_options(target.role, is_async=is_async, target=target.name)
        options.update(stats=stats, clock=self.clock)
        outer, engine = _engines(self._url(target, is_async), options, is_async)
        mend_sqlite(engine, is_durable=True)
        watch_commits(engine)
        Failover(target, self.events).watch(engine)
        if target.role != "primary":
            event.listen(engine, "connect", forbid_writes)
        if target.password_from is not None:
            RotatingPassword(target.password_from, clock=self.clock).attach(engine)
        if self.settings.middleware.timing:
            self.statistics.attach(engine, target.name, target.role)
        return EngineOfTarget(target, engine, outer, stats, Opened(engine))

    def _url(self, target: Target, is_async: bool) -> URL:
        url = self.settings.engine_url(target, is_async=is_async)
        return follow_primary(url) if target.role == "primary" else url


def _engines(url: URL, options: dict[str, Any], is_async: bool) -> tuple[AsyncEngine | None, Engine]:
    if not is_async:
        return None, create_engine(url, **options)
    from sqlalchemy.ext.asyncio import create_async_engine

    outer = create_async_engine(url, **options)
    follow_loop(outer.sync_engine)
    return outer, outer.sync_engine


def _tell(events: Events, target: Target, action: Any, detail: str) -> None:
    events.emit("pool", PoolEvent(target.role, target.name, action, detail))
