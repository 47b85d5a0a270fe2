"""The engines of one manager, each made once, with all that listens to them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from threading import RLock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import Engine, create_engine, event

from pytest_dbguard.core.errors import did_you_mean
from pytest_dbguard.databases.engines import Role, forbid_writes
from pytest_dbguard.databases.event_loops import daemonic, follow_loop
from pytest_dbguard.databases.sqlite_transactions import mend_sqlite
from pytest_dbguard.runtime.clock import Clock
from pytest_dbguard.runtime.commit_watch import watch_commits
from pytest_dbguard.runtime.errors import NotConfigured
from pytest_dbguard.runtime.events import Events, PoolEvent
from pytest_dbguard.runtime.failover import Failover, follow_primary
from pytest_dbguard.runtime.opened import Opened
from pytest_dbguard.runtime.read_only import read_only_view, read_only_view_async

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from pytest_dbguard.runtime.pools import PoolStats
    from pytest_dbguard.runtime.settings import DatabaseSettings, Target
    from pytest_dbguard.runtime.statistics import StatementStatistics

ROLES: tuple[Role, ...] = get_args(Role)
_LOG = logging.getLogger("pytest_dbguard.runtime")


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


class EngineSet:
    """Makes the engines of the targets that the settings name. Safe to use from any thread."""

    def __init__(
        self,
        settings: DatabaseSettings,
        events: Events,
        clock: Clock,
        statistics: Callable[[], StatementStatistics],
    ) -> None:
        self._settings = settings
        self._events = events
        self._clock = clock
        self._statistics = statistics
        self._lock = RLock()
        self._members: dict[tuple[str, bool], EngineOfTarget] = {}
        self._views: dict[tuple[Role, bool], Any] = {}
        self._targets = {target.name: target for target in settings.targets()}
        self.roles, self.fallbacks = _who_serves(tuple(self._targets.values()))
        self._said: set[Role] = set()
        self._listeners: tuple[Callable[[EngineOfTarget], object], ...] = ()

    def member(self, name: str, *, is_async: bool) -> EngineOfTarget:
        """Return the engine of a target; made when asked for first.

        Raises:
            NotConfigured: When the settings name no such target.
        """
        found = self._members.get((name, is_async))
        if found is not None:
            return found
        with self._lock:
            found = self._members.get((name, is_async))
            if found is None:
                found = self._make(self._target(name), is_async)
                for listener in self._listeners:
                    listener(found)
                self._members[name, is_async] = found
            return found

    def on_engine(self, listener: Callable[[EngineOfTarget], object]) -> Callable[[], None]:
        """Call `listener` with each engine that is made, before anybody else has it; return what ends that."""
        self._listeners = (*self._listeners, listener)

        def end() -> None:
            self._listeners = tuple(each for each in self._listeners if each is not listener)

        return end

    def members(self, role: Role | None = None) -> tuple[EngineOfTarget, ...]:
        """Return the engines made so far, of the servers of a role or of all."""
        served = None if role is None else {target.name for target in self.roles[role]}
        with self._lock:
            return tuple(each for each in self._members.values() if served is None or each.target.name in served)

    def make_all(self) -> None:
        """Make the engines of all targets; asynchronous ones where what they need is installed."""
        for target in self._targets.values():
            self.member(target.name, is_async=False)
            if _has_async_driver(self._settings, target):
                self.member(target.name, is_async=True)

    def open_all(self) -> None:
        """Make the synchronous engines of all targets, and have each open a connection."""
        for name in self._targets:
            with self.member(name, is_async=False).engine.connect():
                pass

    async def open_all_async(self) -> None:
        """Make the asynchronous engines of all targets, and have each open a connection."""
        for name in self._targets:
            outer = self.member(name, is_async=True).async_engine
            assert outer is not None
            async with outer.connect():
                pass

    def engine(self, role: Role, name: str | None) -> Engine:
        """Return the engine by which a role reaches one of its targets, or primary where `name` is None."""
        member = self.member(name or "primary", is_async=False)
        return self._seen_by(role, member, member.engine, read_only_view)

    def async_engine(self, role: Role, name: str | None) -> AsyncEngine:
        """Return the asynchronous engine by which a role reaches one of its targets."""
        member = self.member(name or "primary", is_async=True)
        assert member.async_engine is not None
        return self._seen_by(role, member, member.async_engine, read_only_view_async)

    def take(self) -> tuple[EngineOfTarget, ...]:
        """Return the engines made so far, and begin anew: whoever asks gets others."""
        with self._lock:
            taken = tuple(self._members.values())
            self._members = {}
            self._views = {}
            return taken

    def after_fork(self) -> None:
        """Be usable in a child of the process: without the connections of its parent."""
        self._lock = RLock()
        for member in self._members.values():
            member.opened.forget()

    def _seen_by(self, role: Role, member: EngineOfTarget, engine: Any, view_of: Callable[[Any], Any]) -> Any:
        if role == "primary" or member.target.role != "primary":
            return engine
        self._say_once(role)
        key = (role, member.is_async)
        view = self._views.get(key)
        if view is None:
            with self._lock:
                view = self._views.setdefault(key, view_of(engine))
        return view

    def _say_once(self, role: Role) -> None:
        if role in self.fallbacks and role not in self._said:
            with self._lock:
                is_first = role not in self._said
                self._said.add(role)
            if is_first:
                _LOG.warning("%s", self.fallbacks[role])

    def _target(self, name: str) -> Target:
        if name not in self._targets:
            raise NotConfigured(f"no database server is called {name!r}", hint=did_you_mean(name, self._targets))
        return self._targets[name]

    def _make(self, target: Target, is_async: bool) -> EngineOfTarget:
        from pytest_dbguard.runtime.pools import PoolStats

        stats = PoolStats()
        stats.on_event = partial(_pool_event, self._events, target)
        options = self._settings.engine_options(target.role, is_async=is_async, target=target.name)
        options.update(stats=stats, clock=self._clock)
        url = self._settings.engine_url(target, is_async=is_async)
        if target.role == "primary":
            url = follow_primary(url)
        outer: Any
        if is_async:
            from sqlalchemy.ext.asyncio import create_async_engine

            if url.get_driver_name() == "aiosqlite":
                options["connect_args"] = {**daemonic(), **options.get("connect_args", {})}
            outer = create_async_engine(url, **options)
            engine = outer.sync_engine
            follow_loop(engine)
        else:
            engine = create_engine(url, **options)
        self._care_for(engine, target)
        return EngineOfTarget(target, engine, outer if is_async else None, stats, Opened(engine))

    def _care_for(self, engine: Engine, target: Target) -> None:
        mend_sqlite(engine, is_durable=True)
        watch_commits(engine)
        Failover(target, self._events).watch(engine)
        if target.role != "primary":
            event.listen(engine, "connect", forbid_writes)
        self._statistics().attach(engine, target.name, target.role)


def _who_serves(targets: tuple[Target, ...]) -> tuple[Mapping[Role, tuple[Target, ...]], Mapping[Role, str]]:
    primary = tuple(target for target in targets if target.role == "primary")
    roles: dict[Role, tuple[Target, ...]] = {}
    fallbacks: dict[Role, str] = {}
    for role in ROLES:
        roles[role] = tuple(target for target in targets if target.role == role) or primary
        if role != "primary" and roles[role] is primary:
            fallbacks[role] = f"the role {role!r} has no server of its own: primary serves it, without writes"
    return MappingProxyType(roles), MappingProxyType(fallbacks)


def _pool_event(events: Events, target: Target, action: Any, detail: str) -> None:
    events.emit("pool", PoolEvent(target.role, target.name, action, detail))


def _has_async_driver(settings: DatabaseSettings, target: Target) -> bool:
    driver = settings.engine_url(target, is_async=True).get_driver_name()
    return find_spec(driver) is not None and find_spec("greenlet") is not None
