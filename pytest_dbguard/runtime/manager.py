"""The engines of an application by role: made when asked for, watched, and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from weakref import finalize

from sqlalchemy.util import greenlet_spawn

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.clock import SYSTEM_CLOCK, Clock
from pytest_dbguard.runtime.engine_set import EngineOfTarget, EngineSet
from pytest_dbguard.runtime.errors import NotStarted, ShuttingDown
from pytest_dbguard.runtime.events import Events
from pytest_dbguard.runtime.manager_state import ManagerState, State
from pytest_dbguard.runtime.pools.forks import in_children
from pytest_dbguard.runtime.process_end import SigtermStop, stop_at_exit
from pytest_dbguard.runtime.role_sessions import RoleAsyncSessions, RoleSessions
from pytest_dbguard.runtime.shutdown import Shutdown, ShutdownReport
from pytest_dbguard.runtime.target_engine import EngineMaker
from pytest_dbguard.runtime.transactions import DEFAULT_BACKOFF, Backoff, Transactions

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
    from sqlalchemy.orm import Session

    from pytest_dbguard.runtime.health import Health, HealthChecker, Liveness, Readiness
    from pytest_dbguard.runtime.routing import AsyncRoutingSession, Replicas, RoutingSession
    from pytest_dbguard.runtime.settings import DatabaseSettings, Target
    from pytest_dbguard.runtime.statistics import ManagerMetrics, StatementStatistics

T = TypeVar("T")


class DatabaseManager:
    """Engines, sessions and transactions for the roles "primary", "readonly" and "analytics". Safe to share by threads.

    An engine is made when it is first asked for, and connects when it is first used. `start` is implied by that, and
    `stop` may be called often. As a context manager, or an asynchronous one, it starts and stops.
    """

    def __init__(self, settings: DatabaseSettings, *, clock: Clock = SYSTEM_CLOCK) -> None:
        """Connect to nothing yet."""
        self.settings = settings
        self.clock = clock
        self.events = Events()
        self._state = ManagerState()
        self._set = EngineSet(EngineMaker(settings, self.events, clock, lambda: self.statistics))
        self._transactions = Transactions(self)
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
            self._be_started()
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

    # sessions

    def session(self, role: Role = "primary", **options: Any) -> Session:
        """Return a new session on a role's engine; options as for SQLAlchemy's `Session`."""
        from sqlalchemy.orm import Session

        return Session(self.engine(role), **options)

    def async_session(self, role: Role = "primary", **options: Any) -> AsyncSession:
        """Return a new asynchronous session on a role's engine; options as for SQLAlchemy's `AsyncSession`."""
        from sqlalchemy.ext.asyncio import AsyncSession

        return AsyncSession(self.async_engine(role), **options)

    def sessionmaker(self, role: Role = "primary", **options: Any) -> RoleSessions:
        """Return a `sessionmaker` that chooses the role's server for each session anew."""
        return RoleSessions(self, role, options)

    def async_sessionmaker(self, role: Role = "primary", **options: Any) -> RoleAsyncSessions:
        """Return an `async_sessionmaker` that chooses the role's server for each session anew."""
        return RoleAsyncSessions(self, role, options)

    def routing_session(self, **options: Any) -> RoutingSession:
        """Return a session whose reads go to replicas and whose writes go to primary."""
        self._be_started()
        from pytest_dbguard.runtime.routing import RoutingSession

        return RoutingSession(self, **options)

    def async_routing_session(self, **options: Any) -> AsyncRoutingSession:
        """Return an asynchronous session whose reads go to replicas and whose writes go to primary."""
        self._be_started()
        from pytest_dbguard.runtime.routing import AsyncRoutingSession

        return AsyncRoutingSession(self, **options)

    # transactions

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
        return self._transactions.run(work, retries=retries, role=role, isolation=isolation, backoff=backoff)

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
        return await self._transactions.run_async(
            work, retries=retries, role=role, isolation=isolation, backoff=backoff
        )

    # watching

    @cached_property
    def replicas(self) -> Replicas:
        """Which replicas may be read from."""
        from pytest_dbguard.runtime.routing import Replicas

        return Replicas(self)

    @cached_property
    def statistics(self) -> StatementStatistics:
        """What was executed, by shape."""
        from pytest_dbguard.runtime.statistics import StatementStatistics

        return StatementStatistics(self.events, slow_ms=self.settings.logging.slow_ms, clock=self.clock)

    @cached_property
    def checker(self) -> HealthChecker:
        """Looks after the servers' health; checks in the background once it is started."""
        from pytest_dbguard.runtime.health import HealthChecker

        return HealthChecker(self)

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
        from pytest_dbguard.runtime.statistics import metrics_of

        return metrics_of(self)

    # life

    def start(self, eager: bool = False) -> Self:
        """Begin to hand out connections; `eager` makes the synchronous engines and opens connections now.

        Starting twice does nothing; starting after `stop` begins anew.

        Raises:
            ShuttingDown: While it stops.
            sqlalchemy.exc.DBAPIError: When `eager`, and a server cannot be reached; nothing stays open then.
        """
        has_begun = self._start()
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
        has_begun = self._start()
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
        """Change how many connections the pools of a role keep, and how many more they may open."""
        for member in self._set.members(role):
            member.pool.resize(size, overflow)

    def drain(self, role: Role | None = None) -> None:
        """Have every connection of a role, or of all, replaced as it comes back: after a change of credentials."""
        for member in self._set.members(role):
            member.pool.drain()

    def warm_up(self, role: Role | None = None) -> None:
        """Open the connections that the synchronous pools of a role, or of all, keep."""
        for member in self._set.members(role):
            if not member.is_async:
                member.pool.warm_up(member.pool.size())

    async def warm_up_async(self, role: Role | None = None) -> None:
        """Open the connections that the asynchronous pools of a role, or of all, keep."""
        for member in self._set.members(role):
            if member.is_async:
                await greenlet_spawn(member.pool.warm_up, member.pool.size())

    def _start(self) -> bool:
        has_begun = self._state.start()
        if has_begun:
            self._not_at_exit = stop_at_exit(self)
            # whoever forgets the manager must not leave a thread behind
            finalize(self, self._set.start().stop, 0).atexit = False
        return has_begun

    def _begin_stop(self) -> Shutdown:
        self._not_at_exit()
        self._not_at_exit = _nothing
        if "checker" in self.__dict__:
            self.checker.stop(0)
        return Shutdown(self._set.take(), self.clock)

    def _deadline_s(self, deadline_s: float | None) -> float:
        return self.settings.timeouts.shutdown_s if deadline_s is None else deadline_s

    def _begin_in_child(self) -> None:
        """Be usable in a child of the process: the pools have let go of the parent's connections themselves."""
        self._state.after_fork()
        self._set.after_fork()

    def _target(self, role: Role, target: str | None) -> str | None:
        self._be_started()
        if target is not None or role in self.fallbacks:
            return target
        return self.replicas.choose(None) if role == "readonly" else self.roles()[role][0].name

    def _be_started(self) -> None:
        if self._state.value == "new":
            self.start()
        elif self._state.value == "stopping":
            raise ShuttingDown("the database manager is stopping: it hands out nothing any more")
        elif self._state.value == "stopped":
            raise NotStarted("the database manager has been stopped", hint="call start() to begin anew")


def _nothing() -> None:
    return None
