"""The engines of one manager, each made once, by target and by role."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from threading import RLock
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn, get_args

from sqlalchemy import Engine
from sqlalchemy.util import greenlet_spawn

from pytest_dbguard.core.errors import did_you_mean
from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.errors import NotConfigured, ShuttingDown
from pytest_dbguard.runtime.memory_anchor import Anchors
from pytest_dbguard.runtime.pools.keeper import Keeper
from pytest_dbguard.runtime.read_only import read_only_view, read_only_view_async
from pytest_dbguard.runtime.target_engine import EngineMaker, EngineOfTarget

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from pytest_dbguard.runtime.settings import Target

__all__ = ["ROLES", "EngineOfTarget", "EngineSet"]
ROLES: tuple[Role, ...] = get_args(Role)
_LOG = logging.getLogger("pytest_dbguard.runtime")


class EngineSet:
    """Makes the engines of the targets that the settings name. Safe to use from any thread."""

    def __init__(self, maker: EngineMaker) -> None:
        self._maker = maker
        self._lock = RLock()
        self._keeper = Keeper()
        self._anchors = Anchors()
        self._is_closed = False
        self._members: dict[tuple[str, bool], EngineOfTarget] = {}
        self._views: dict[EngineOfTarget, Engine] = {}
        self._async_views: dict[EngineOfTarget, AsyncEngine] = {}
        self._targets = {target.name: target for target in maker.settings.targets()}
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
                if self._is_closed:
                    # whoever asked before the end began must not leave an engine behind
                    raise ShuttingDown("the database manager has stopped meanwhile")
                self._say_whose(self._target(name))
                self._anchors.hold(name, self._maker.settings.engine_url(self._target(name)))
                found = self._maker.make(self._target(name), is_async=is_async)
                self._keeper.watch(found.stats)
                for listener in self._listeners:
                    listener(found)
                self._members[name, is_async] = found
            return found

    def on_engine(self, listener: Callable[[EngineOfTarget], object]) -> Callable[[], None]:
        """Call `listener` with each engine that is made from now on, before anybody has it; return what ends that."""
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
            if self._can_be_async(target):
                self.member(target.name, is_async=True)

    def open_all(self) -> None:
        """Make the synchronous engines of all targets, and have each open the connections to begin with: one at least.

        A replica that cannot be reached is told in the log: primary answers for it.

        Raises:
            sqlalchemy.exc.DBAPIError: When another server cannot be reached.
        """
        for target in self._targets.values():
            member = self.member(target.name, is_async=False)
            with _tolerated(target):
                with member.engine.connect():
                    pass
                member.pool.warm_up(self._warm(member))

    async def open_all_async(self) -> None:
        """Make the asynchronous engines of all targets, and have each open connections, as `open_all` does."""
        for target in self._targets.values():
            member = self.member(target.name, is_async=True)
            assert member.async_engine is not None
            with _tolerated(target):
                async with member.async_engine.connect():
                    pass
                await greenlet_spawn(member.pool.warm_up, self._warm(member))

    def warm_up(self, role: Role | None) -> None:
        """Open as many connections as the synchronous pools keep."""
        for member in self.members(role):
            if not member.is_async:
                member.pool.warm_up(self._warm(member) or member.pool.size())

    async def warm_up_async(self, role: Role | None) -> None:
        """Open as many connections as the asynchronous pools keep."""
        for member in self.members(role):
            if member.is_async:
                await greenlet_spawn(member.pool.warm_up, self._warm(member) or member.pool.size())

    def engine(self, role: Role, name: str | None) -> Engine:
        """Return the engine by which a role reaches one of its targets, or primary where `name` is None."""
        member = self.member(name or "primary", is_async=False)
        if self._may_write(role, member):
            return member.engine
        with self._lock:
            if member not in self._views:
                self._views[member] = read_only_view(member.engine)
            return self._views[member]

    def async_engine(self, role: Role, name: str | None) -> AsyncEngine:
        """Return the asynchronous engine by which a role reaches one of its targets."""
        member = self.member(name or "primary", is_async=True)
        assert member.async_engine is not None
        if self._may_write(role, member):
            return member.async_engine
        with self._lock:
            if member not in self._async_views:
                self._async_views[member] = read_only_view_async(member.async_engine)
            return self._async_views[member]

    def start(self) -> Keeper:
        """Make engines from now on, and have all pools looked after in a background thread; return what does that."""
        with self._lock:
            self._is_closed = False
            self._keeper.start()
            return self._keeper

    def take(self) -> tuple[EngineOfTarget, ...]:
        """Return the engines made so far, which nobody looks after any more, and make none before the next `start`."""
        with self._lock:
            self._is_closed = True
            taken = tuple(self._members.values())
            self._members, self._views, self._async_views = {}, {}, {}
            keeper, self._keeper = self._keeper, Keeper()
        keeper.stop(0)
        self._anchors.let_go()
        return taken

    def after_fork(self, *, is_started: bool) -> None:
        """Be usable in a child of the process: without the connections of its parent."""
        self._lock = RLock()
        self._is_closed = not is_started
        for member in self._members.values():
            member.opened.forget()

    def _may_write(self, role: Role, member: EngineOfTarget) -> bool:
        """Whether the engine itself is the role's: primary's writes, and that of another role writes nowhere."""
        if role == "primary" or member.target.role != "primary":
            return True
        if role in self.fallbacks and role not in self._said:
            with self._lock:
                is_first = role not in self._said
                self._said.add(role)
            if is_first:
                _LOG.warning("%s", self.fallbacks[role])
        return False

    def _say_whose(self, target: Target) -> None:
        """Say of a role that has an engine, but no server, of its own who serves it."""
        of_role = getattr(self._maker.settings.roles, target.role)
        if of_role.url is None and not of_role.replicas and target.role not in self._said:
            self._said.add(target.role)
            _LOG.warning("the role %r has no server of its own: primary's serves it, without writes", target.role)

    def _warm(self, member: EngineOfTarget) -> int:
        return self._maker.settings.pool_of(member.target.role).warm_up

    def _target(self, name: str) -> Target:
        if name not in self._targets:
            raise NotConfigured(f"no database server is called {name!r}", hint=did_you_mean(name, self._targets))
        return self._targets[name]

    def _can_be_async(self, target: Target) -> bool:
        driver = self._maker.settings.engine_url(target, is_async=True).get_driver_name()
        return find_spec(driver) is not None and find_spec("greenlet") is not None


class _Roles(dict[Role, tuple["Target", ...]]):
    """The servers of each role; a role that does not exist is told."""

    def __missing__(self, role: str) -> NoReturn:
        raise NotConfigured(f"there is no role {role!r}", hint=did_you_mean(str(role), ROLES))


@contextmanager
def _tolerated(target: Target) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if target.role != "readonly":
            raise
        _LOG.warning("%s cannot be reached at the start (%s)", target.name, type(error).__name__)


def _who_serves(targets: tuple[Target, ...]) -> tuple[Mapping[Role, tuple[Target, ...]], Mapping[Role, str]]:
    primary = tuple(target for target in targets if target.role == "primary")
    roles = _Roles()
    fallbacks: dict[Role, str] = {}
    for role in ROLES:
        roles[role] = tuple(target for target in targets if target.role == role) or primary
        if role != "primary" and roles[role] is primary:
            fallbacks[role] = f"the role {role!r} has no server of its own: primary serves it, without writes"
    return MappingProxyType(roles), MappingProxyType(fallbacks)
