"""One service for an application's databases: it checks the settings, starts its parts, and stops them in reverse."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.clock import SYSTEM_CLOCK, Clock
from pytest_dbguard.runtime.errors import NotStarted
from pytest_dbguard.runtime.lifecycle import Change, Lifecycle, State
from pytest_dbguard.runtime.not_brought import MissingParts, left_out, refuse
from pytest_dbguard.runtime.parts import Parts
from pytest_dbguard.runtime.role_client import RoleClient
from pytest_dbguard.runtime.service_parts import parts_of

if TYPE_CHECKING:
    from pytest_dbguard.runtime.engine_set import EngineOfTarget
    from pytest_dbguard.runtime.events import Events
    from pytest_dbguard.runtime.health import Health, Liveness, Readiness
    from pytest_dbguard.runtime.manager import DatabaseManager
    from pytest_dbguard.runtime.settings import DatabaseSettings
    from pytest_dbguard.runtime.statistics import ManagerMetrics, PerformanceSummary

_LOG = logging.getLogger("pytest_dbguard.runtime")


class DatabaseService(MissingParts):
    """The databases of an application: `client()`, `readonly()`, `analytics()` give sessions and engines by role.

    It starts with `start()`, `with` or `async with`, else when it is first used; after `stop()` it refuses until it
    is started again. Any number of threads and tasks may use it; in a forked child it has connections of its own.
    """

    def __init__(
        self, settings: DatabaseSettings | None = None, *, clock: Clock = SYSTEM_CLOCK, eager: bool = False
    ) -> None:
        """Check the settings; connect to nothing.

        Args:
            settings: What is in the environment and the project's file (`DatabaseSettings.load`) when left out.
            clock: Where the time comes from.
            eager: Connect to every server at the start, `pool.warm_up` times, and fail there rather than at first use.

        Raises:
            ConfigError: That tells everything that is wrong with the settings.
            NotConfigured: For a middleware that this version does not bring.
        """
        from pytest_dbguard.runtime.manager import DatabaseManager
        from pytest_dbguard.runtime.settings import DatabaseSettings

        self.settings: DatabaseSettings = DatabaseSettings.load() if settings is None else settings
        refuse(self.settings)
        self.clock = clock
        self._manager = DatabaseManager(self.settings, clock=clock)
        self._parts = Parts(tuple(parts_of(self._manager, eager=eager)), clock)
        self._life = Lifecycle()

    @property
    def state(self) -> State:
        """Whether it is "new", "starting", "started", "stopping" or "stopped"."""
        return self._life.state

    @property
    def manager(self) -> DatabaseManager:
        """The engines and sessions below; started where it was not yet.

        Raises:
            NotStarted: After `stop`.
        """
        if self._life.state != "started":
            self._start_for_use()
        return self._manager

    @property
    def events(self) -> Events:
        """Where to subscribe to what happens, also before the start."""
        return self._manager.events

    def on_engine(self, listener: Callable[[EngineOfTarget], object]) -> Callable[[], None]:
        """Call `listener` with each engine that is made from now on, to instrument it; return what ends that."""
        return self._manager.on_engine(listener)

    def start(self) -> None:
        """Start the parts in order; when one fails, those before it are stopped again and its error is raised."""
        self._life.start(self._start)

    async def start_async(self) -> None:
        """Start as `start` does, in the event loop that runs."""
        await self._life.start_async(self._start_async)

    def stop(self, deadline_s: float | None = None) -> None:
        """Stop the parts in reverse order: hand out nothing more, wait for what is out, cancel what is left, close.

        In the thread of a running event loop nothing asynchronous is waited for: `await stop_async()` there.

        Args:
            deadline_s: Seconds for all of it; the setting `timeouts.shutdown_s` when left out.
        """
        self._life.stop(partial(self._stop, self._deadline_s(deadline_s)))

    async def stop_async(self, deadline_s: float | None = None) -> None:
        """Stop as `stop` does, while other tasks run; to its end also where this task is cancelled."""
        await self._life.stop_async(partial(self._stop_async, self._deadline_s(deadline_s)))

    def stop_on_sigterm(self) -> Callable[[], None]:
        """Have SIGTERM stop the service besides what it did before; return what undoes that.

        For scripts: work under way goes on until the deadline, nothing new begins, and then the process ends by the
        signal. Servers have better places to stop at: a lifespan, a hook for the end of a worker.

        Raises:
            RuntimeFault: Outside of the main thread.
        """
        from pytest_dbguard.runtime.process_end import SigtermStop

        return SigtermStop(self).install()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await self.start_async()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop_async()

    def client(self) -> RoleClient:
        """Return the sessions and engines of the role "primary"."""
        return self._of("primary")

    def readonly(self) -> RoleClient:
        """Return those of the role "readonly": a replica where one is configured. Its server refuses writes."""
        return self._of("readonly")

    def analytics(self) -> RoleClient:
        """Return those of the role "analytics", for long reports. Its server refuses writes."""
        return self._of("analytics")

    def routed(self) -> RoleClient:
        """Return sessions that read from replicas and write to the primary (`RoutingSession`)."""
        return RoleClient(self._manager_in_use, "primary", is_routed=True)

    def health(self, deadline_s: float | None = None) -> Health:
        """Ask every server how it is, within `deadline_s` seconds or `timeouts.health_s`; one that fails is told of."""
        return self._watched().health(deadline_s)

    async def health_async(self, deadline_s: float | None = None) -> Health:
        """Ask every server how it is, while other tasks run."""
        return await (await self._watched_async()).health_async(deadline_s)

    def live(self) -> Liveness:
        """Tell whether this process answers: asks no server and waits for nothing."""
        return self._manager.checker.live()

    def ready(self, deadline_s: float | None = None) -> Readiness:
        """Tell whether requests should be sent here: the primary answers, and nobody waits in vain."""
        return self._watched().checker.ready(deadline_s)

    async def ready_async(self, deadline_s: float | None = None) -> Readiness:
        """Tell whether requests should be sent here, while other tasks run."""
        return await (await self._watched_async()).checker.ready_async(deadline_s)

    def metrics(self) -> ManagerMetrics:
        """Return the figures of pools, statements and replicas; asks no server. In any state."""
        return self._manager.metrics()

    def performance_summary(self, top: int = 5) -> PerformanceSummary:
        """Return the `top` slowest statements, error rates, and waits for connections; asks no server. In any state."""
        from pytest_dbguard.runtime.statistics import summary_of

        return summary_of(self._manager, top)

    def _start(self, change: Change) -> None:
        self._parts.start(change, self._deadline_s(None))
        self._tell_start()

    async def _start_async(self, change: Change) -> None:
        await self._parts.start_async(change, self._deadline_s(None))
        self._tell_start()

    def _stop(self, deadline_s: float, _: Change) -> None:
        self._tell("stops")
        self._parts.stop(deadline_s)

    async def _stop_async(self, deadline_s: float, _: Change) -> None:
        self._tell("stops")
        await self._parts.stop_async(deadline_s)

    def _tell_start(self) -> None:
        self._tell("started")
        for sentence in left_out(self.settings):
            _LOG.warning("%s", sentence)

    def _tell(self, what: str) -> None:
        _LOG.info("the database service %s: %s", what, ", ".join(self._parts.names))

    def _deadline_s(self, given: float | None) -> float:
        return self.settings.timeouts.shutdown_s if given is None else given

    def _of(self, role: Role) -> RoleClient:
        return RoleClient(self._manager_in_use, role)

    def _manager_in_use(self) -> DatabaseManager:
        return self.manager

    def _watched(self) -> DatabaseManager:
        """Return the manager in whatever state it is, but started where it never was."""
        if self._life.state == "new":
            self.start()
        return self._manager

    async def _watched_async(self) -> DatabaseManager:
        if self._life.state == "new":
            await self.start_async()
        return self._manager

    def _start_for_use(self) -> None:
        if self._life.state in ("stopping", "stopped"):
            raise NotStarted(f"the database service is {self._life.state}", hint="call start() to use it again")
        self.start()
