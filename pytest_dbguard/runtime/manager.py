"""The engines of an application by role: made when asked for, watched, and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self
from weakref import finalize

from sqlalchemy.util import greenlet_spawn

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.clock import SYSTEM_CLOCK, Clock
from pytest_dbguard.runtime.engine_set import EngineOfTarget, EngineSet
from pytest_dbguard.runtime.errors import NotConfigured, NotStarted, ShuttingDown
from pytest_dbguard.runtime.events import Events
from pytest_dbguard.runtime.health import Health, HealthChecker, Liveness, Readiness
from pytest_dbguard.runtime.manager_state import ManagerState, State
from pytest_dbguard.runtime.pools.forks import in_children
from pytest_dbguard.runtime.process_end import SigtermStop, stop_at_exit
from pytest_dbguard.runtime.role_access import RoleAccess
from pytest_dbguard.runtime.routing import Replicas
from pytest_dbguard.runtime.shutdown import Shutdown, ShutdownReport
from pytest_dbguard.runtime.statistics import ManagerMetrics, StatementStatistics, metrics_of
from pytest_dbguard.runtime.target_engine import EngineMaker

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from pytest_dbguard.runtime.settings import DatabaseSettings, Target


class DatabaseManager(RoleAccess):
    """Engines, sessions and transactions for the roles "primary", "readonly" and "analytics". Safe to share by threads.

    An engine is made when it is first asked for, and connects when it is first used. `start` is implied by that, and
    `stop` may be called often. As a context manager, or an asynchronous one, it starts and stops.
    """

    def __init__(self, settings: DatabaseSettings, *, clock: Clock = SYSTEM_CLOCK) -> None:
        """Connect to nothing yet.

        Raises:
            NotConfigured: When the settings name no primary.
        """
        _need_primary(settings)
        self.settings = settings
        self.clock = clock
        self.events = Events()
        self.statistics = StatementStatistics(self.events, slow_ms=settings.logging.slow_ms, clock=clock)
        """What was executed, by shape."""
        self.replicas = Replicas(self)
        """Which replicas may be read from."""
        self.checker = HealthChecker(self)
        """Looks after the servers' health; checks in the background once it is started."""
        self._state = ManagerState()
        self._set = EngineSet(EngineMaker(settings, self.events, clock, self.statistics))
        self._not_at_exit: Callable[[], None] = _nothing
        in_children(self, DatabaseManager._begin_in_child)

    @property
    def state(self) -> State:
        """What the manager is doing: "new", "started", "stopping" or "stopped"."""
        return self._state.value

    # engines

    def engine(self, role: Role = "primary", *, target: str | None = None) -> Engine:
        """Return the engine of a role, or of one of its servers by name, such as "readonly-2".

        A role that is not configured is served by primary, on connections that refuse to write.

        Raises:
            NotStarted: After `stop`.
            ShuttingDown: While it stops.
        """
        return self._set.engine(role, self._target(role, target))

    def async_engine(self, role: Role = "primary", *, target: str | None = None) -> AsyncEngine:
        """Return the asynchronous engine of a role, as `engine` does."""
        return self._set.async_engine(role, self._target(role, target))

    def engines(self, *, make: bool = False) -> tuple[EngineOfTarget, ...]:
        """Return the engines that exist; with `make`, those of all targets, asynchronous ones where they can be."""
        if make:
            self.need_started()
            self._set.make_all()
        return self._set.members()

    def on_engine(self, listener: Callable[[EngineOfTarget], object]) -> Callable[[], None]:
        """Call `listener` with each engine that is made from now on, before anybody has it: to instrument it.

        Returns:
            What ends that. What the listener raises reaches whoever asked for the engine, which is then made anew.
        """
        return self._set.on_engine(listener)

    def roles(self) -> Mapping[Role, tuple[Target, ...]]:
        """Return the servers of each role; primary's for a role that is not configured."""
        return self._set.roles

    @property
    def fallbacks(self) -> Mapping[Role, str]:
        """The roles that are not configured, each with a sentence on who serves it."""
        return self._set.fallbacks

    # watching

    def health(self, deadline_s: float | None = None) -> Health:
        """Ask every server how it is; takes `deadline_s` seconds at the most."""
        return self.checker.health(deadline_s)

    async def health_async(self, deadline_s: float | None = None) -> Health:
        """Ask every server how it is; takes `deadline_s` seconds at the most."""
        return await self.checker.health_async(deadline_s)

    def live(self) -> Liveness:
        """Tell whether this process answers: asks no database."""
        return self.checker.live()

    def ready(self) -> Readiness:
        """Tell whether requests can be served."""
        return self.checker.ready()

    def metrics(self) -> ManagerMetrics:
        """Return the figures of pools, statements and replicas."""
        return metrics_of(self)

    # life

    def start(self, eager: bool = False) -> Self:
        """Begin to hand out connections; `eager` makes the synchronous engines and opens connections now.

        Starting twice does nothing; starting after `stop` begins anew.

        Raises:
            ShuttingDown: While it stops.
            sqlalchemy.exc.DBAPIError: When `eager`, and a server cannot be reached; nothing stays open then.
        """
        has_begun = self._state.start(self._begin)
        if eager:
            try:
                self._set.open_all()
            except BaseException:
                if has_begun:
                    self.stop(0)
                    self._state.never_mind()
                raise
        return self

    def stop(self, deadline_s: float | None = None) -> ShutdownReport:
        """Hand out nothing more, wait until what is out has come back, cancel what has not, and close everything.

        Stopping twice does nothing; whoever stops while another does waits for it, as long as it takes. Takes about
        three seconds more than the deadline at the most.

        Args:
            deadline_s: How long to wait; the setting `timeouts.shutdown_s` by default.
        """
        if not self._state.stop():
            self._state.wait_until_stopped()
            return ShutdownReport()
        shutdown = self._begin_stop()
        try:
            return shutdown.run(self._deadline_s(deadline_s))
        except BaseException:
            shutdown.cut()
            raise
        finally:
            self._state.stopped()

    async def start_async(self, eager: bool = False) -> Self:
        """Begin to hand out connections; `eager` makes the asynchronous engines and opens connections now."""
        has_begun = self._state.start(self._begin)
        if eager:
            try:
                await self._set.open_all_async()
            except BaseException:
                if has_begun:
                    await self.stop_async(0)
                    self._state.never_mind()
                raise
        return self

    async def stop_async(self, deadline_s: float | None = None) -> ShutdownReport:
        """Stop as `stop` does, without holding up the event loop."""
        if not self._state.stop():
            await asyncio.to_thread(self._state.wait_until_stopped)
            return ShutdownReport()
        shutdown = self._begin_stop()
        try:
            return await shutdown.run_async(self._deadline_s(deadline_s))
        except BaseException:
            shutdown.cut()
            raise
        finally:
            self._state.stopped()

    def stop_on_sigterm(self) -> Callable[[], None]:
        """Have SIGTERM stop the manager besides what it did before; return what undoes that.

        For scripts. Servers have better places to stop at: a lifespan, a hook for the end of a worker.

        Raises:
            RuntimeFault: Outside of the main thread.
        """
        return SigtermStop(self).install()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await self.start_async()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop_async()

    # pools

    def resize(self, role: Role, size: int, overflow: int | None = None) -> None:
        """Change how many connections the pools of a role keep, and how many more they may open.

        Of the engines that exist: one that is made later begins as the settings say. A role that primary serves by
        primary's own engine has no other pool than that.

        Raises:
            ValueError: For a size below 1, or an overflow below -1, which is no limit.
        """
        for member in self._set.members(role):
            member.pool.resize(size, overflow)

    def drain(self, role: Role | None = None) -> None:
        """Have every connection of a role, or of all, replaced before it is used again: after a change of credentials.

        Those in use are closed when they come back, idle ones now; idle ones of asynchronous engines when they are
        asked for, or by `drain_async`.
        """
        for member in self._set.members(role):
            member.pool.drain()

    async def drain_async(self, role: Role | None = None) -> None:
        """Do what `drain` does, and close idle connections of asynchronous engines as well."""
        for member in self._set.members(role):
            if member.is_async:
                await greenlet_spawn(member.pool.drain)
            else:
                await asyncio.to_thread(member.pool.drain)

    def warm_up(self, role: Role | None = None) -> None:
        """Open the connections that the synchronous engines of a role, or of all, keep; raises the driver's errors."""
        self._set.warm_up(role)

    async def warm_up_async(self, role: Role | None = None) -> None:
        """Open the connections that the asynchronous engines of a role, or of all, keep; raises the driver's errors."""
        await self._set.warm_up_async(role)

    def _begin(self) -> None:
        self._not_at_exit = stop_at_exit(self)
        # whoever forgets the manager must not leave a thread behind
        finalize(self, self._set.start().stop, 0).atexit = False

    def _begin_stop(self) -> Shutdown:
        self._not_at_exit()
        self._not_at_exit = _nothing
        self.checker.stop(0)
        return Shutdown(self._set.take(), self.clock)

    def _deadline_s(self, deadline_s: float | None) -> float:
        return self.settings.timeouts.shutdown_s if deadline_s is None else deadline_s

    def _begin_in_child(self) -> None:
        """Be usable in a child of the process: the pools have let go of the parent's connections themselves."""
        self._state.after_fork()
        self._set.after_fork(is_started=self._state.value == "started")

    def _target(self, role: Role, target: str | None) -> str | None:
        self.need_started()
        if target is not None or role in self.fallbacks:
            return target
        return self.replicas.choose(None) if role == "readonly" else self.roles()[role][0].name

    def need_started(self) -> None:
        """Start, if that has not been done yet.

        Raises:
            NotStarted: After `stop`.
            ShuttingDown: While it stops.
        """
        if self._state.value == "new":
            self.start()
        elif self._state.value == "stopping":
            raise ShuttingDown("the database manager is stopping: it hands out nothing any more")
        elif self._state.value == "stopped":
            raise NotStarted("the database manager has been stopped", hint="call start() to begin anew")


def _need_primary(settings: DatabaseSettings) -> None:
    """Raise where no primary is set; only those of `production` raise by themselves, so that others can be shown."""
    if settings.url is None:
        raise NotConfigured(
            f"no database: the setting `url` is missing (profile {settings.profile})",
            hint="set DBGUARD_RUNTIME_URL, or url in [tool.dbguard.runtime]",
        )


def _nothing() -> None:
    return None
