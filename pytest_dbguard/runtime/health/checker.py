"""Asks all servers of a manager how they are: now, or again and again in the background."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from threading import RLock
from time import perf_counter
from typing import TYPE_CHECKING, Final, Literal

from pytest_dbguard.runtime.events import HealthEvent
from pytest_dbguard.runtime.health.answers import STOPPED, Answer
from pytest_dbguard.runtime.health.background import Background
from pytest_dbguard.runtime.health.choice import engine_to_ask_by
from pytest_dbguard.runtime.health.hysteresis import TargetState
from pytest_dbguard.runtime.health.model import Health, Liveness, Readiness, Status, TargetHealth
from pytest_dbguard.runtime.health.probes import Prober
from pytest_dbguard.runtime.health.readiness import readiness_of, reasons_of, reasons_of_state
from pytest_dbguard.runtime.health.rounds import ask_all, ask_all_async
from pytest_dbguard.runtime.health.tree import Trees
from pytest_dbguard.runtime.pools.forks import in_children

if TYPE_CHECKING:
    from pytest_dbguard.runtime.manager import DatabaseManager

_STALE: Final = 3
"""Intervals after which what the background has found is no longer believed."""


class HealthChecker:
    """The health of one manager, which makes one of these and keeps it as `manager.checker`. Safe from any thread.

    Servers are asked on connections of their own, beside the pools and in threads of their own, at most one a server.
    Limits on ages are measured by the manager's clock; deadlines, which wait for real sockets, by the machine's.
    """

    name: Final = "health"

    def __init__(self, manager: DatabaseManager) -> None:
        """Ask nothing yet."""
        monitoring = manager.settings.monitoring
        self._manager = manager
        self._targets = {target.name: target for target in manager.settings.targets()}
        limit_s = manager.settings.timeouts.health_s
        self._probers = {
            name: Prober(name, partial(engine_to_ask_by, manager, target), limit_s)
            for name, target in self._targets.items()
        }
        self._new_state = partial(TargetState, monitoring.unhealthy_after, monitoring.healthy_after)
        self._every_s = monitoring.health_interval_s
        self._background = Background("dbguard-health", self._every_s, self.check_once, self.check_once_async)
        self._forget()
        in_children(self, HealthChecker._forget)

    def health(self, deadline_s: float | None = None) -> Health:
        """Ask all servers at once; the answer comes within the deadline, also of servers that say nothing.

        Args:
            deadline_s: Seconds for all together; the setting `timeouts.health_s` when left out.
        """
        began, noted_s = perf_counter(), self._manager.clock.monotonic()
        answers = self._stopped() or ask_all(self._probers, self._deadline_s(deadline_s))
        return self._trees.build(answers, noted_s, (perf_counter() - began) * 1e3)

    async def health_async(self, deadline_s: float | None = None) -> Health:
        """Do what `health` does while other tasks run; it may be cancelled at any time."""
        began, noted_s = perf_counter(), self._manager.clock.monotonic()
        answers = self._stopped() or await ask_all_async(self._probers, self._deadline_s(deadline_s))
        return self._trees.build(answers, noted_s, (perf_counter() - began) * 1e3)

    def live(self) -> Liveness:
        """Tell whether the process should be left alone; asks no database, and waits for nothing."""
        return Liveness(ok=True, state=self._manager.state, pid=os.getpid())

    def ready(self, deadline_s: float | None = None) -> Readiness:
        """Tell whether requests should be sent here.

        Asks the primary within the deadline (seconds; `timeouts.health_s` when left out), unless a check in the
        background has done so lately. That starts a manager that is new, as every use of it does.
        """
        reasons = self._known_reasons()
        if reasons is None:
            answers = ask_all({"primary": self._probers["primary"]}, self._deadline_s(deadline_s))
            reasons = reasons_of(answers["primary"])
        return readiness_of(self._manager, reasons)

    async def ready_async(self, deadline_s: float | None = None) -> Readiness:
        """Do what `ready` does while other tasks run."""
        reasons = self._known_reasons()
        if reasons is None:
            answers = await ask_all_async({"primary": self._probers["primary"]}, self._deadline_s(deadline_s))
            reasons = reasons_of(answers["primary"])
        return readiness_of(self._manager, reasons)

    def check_once(self) -> Health:
        """Ask all servers and take note: of states, with events where they change, and for the choice of replicas."""
        return self._note(self.health())

    async def check_once_async(self) -> Health:
        """Do what `check_once` does while other tasks run."""
        return self._note(await self.health_async())

    def states(self) -> Mapping[str, Status | Literal["unknown"]]:
        """Return what the checks have confirmed of each server; "unknown" before the first."""
        with self._lock:
            return {name: state.status for name, state in self._states.items()}

    @property
    def latest(self) -> Health | None:
        """What the last check has found; None before the first."""
        return self._latest

    @property
    def is_running(self) -> bool:
        """Whether servers are checked in the background, by this process."""
        return self._background.is_running

    def start(self) -> None:
        """Check in a thread every `monitoring.health_interval_s`, from now on. Starting twice is allowed."""
        self._background.start()

    async def start_async(self) -> None:
        """Check in a task of the running event loop instead."""
        await self._background.start_async()

    def stop(self, deadline_s: float = 1.0) -> None:
        """End the checks in the background; one that is under way is not waited for beyond the deadline."""
        self._background.stop(deadline_s)

    async def stop_async(self, deadline_s: float = 1.0) -> None:
        """End the checks in the background while other tasks run."""
        await self._background.stop_async(deadline_s)

    def _known_reasons(self) -> tuple[str, ...] | None:
        """Return why this is not ready, as far as nobody has to be asked for that; None when the primary has to be."""
        stopping = reasons_of_state(self._manager.state)
        if stopping:
            return stopping
        age_s = self._manager.clock.monotonic() - self._latest_s
        if self._latest is None or not self.is_running or age_s > _STALE * self._every_s:
            return None
        primary = self._latest.targets["primary"]
        is_down = self.states()["primary"] == "unhealthy"
        return (f"primary {primary.reason or 'was unhealthy until just now'}",) if is_down else ()

    def _forget(self) -> None:
        # events are emitted by whoever checks: a listener may ask for states
        self._lock = RLock()
        self._trees = Trees(self._manager, self._targets)
        self._states = {name: self._new_state() for name in self._targets}
        self._latest: Health | None = None
        self._latest_s = 0.0

    def _deadline_s(self, deadline_s: float | None) -> float:
        return self._manager.settings.timeouts.health_s if deadline_s is None else deadline_s

    def _stopped(self) -> dict[str, Answer]:
        """Return the answers of a manager that has stopped, which asks nobody; nothing of another."""
        return dict.fromkeys(self._probers, STOPPED) if self._manager.state == "stopped" else {}

    def _note(self, health: Health) -> Health:
        events = []
        with self._lock:
            self._latest, self._latest_s = health, self._manager.clock.monotonic()
            for name, found in health.targets.items():
                state = self._states[name]
                before = state.status
                if state.note(found.status):
                    flaps = "changes again and again" if state.is_flapping else ""
                    reason = ": ".join(filter(None, (flaps, found.reason)))
                    events.append(HealthEvent(found.role, name, before, state.status, reason))
        for happened in events:
            self._manager.events.emit("health", happened)
        for name, found in health.targets.items():
            if found.role == "readonly":
                self._report(name, found)
        return health

    def _report(self, name: str, found: TargetHealth) -> None:
        if found.status != "unhealthy":
            self._manager.replicas.report_success(name)
        else:
            self._manager.replicas.report_failure(name, found.reason)


def health(manager: DatabaseManager, deadline_s: float | None = None) -> Health:
    """Return `manager.checker.health(deadline_s)`."""
    return manager.checker.health(deadline_s)


async def health_async(manager: DatabaseManager, deadline_s: float | None = None) -> Health:
    """Return `await manager.checker.health_async(deadline_s)`."""
    return await manager.checker.health_async(deadline_s)
