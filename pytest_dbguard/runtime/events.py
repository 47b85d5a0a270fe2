"""What happens to connections and statements, told to whoever subscribes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from pytest_dbguard.core.errors import did_you_mean

Kind = Literal["query", "slow_query", "error", "pool", "failover", "health"]
PoolAction = Literal[
    "exhausted", "saturated", "leak", "returned", "collected", "frozen", "replaced", "resized", "drained"
]
KINDS: tuple[Kind, ...] = ("query", "slow_query", "error", "pool", "failover", "health")
_LOG = logging.getLogger("pytest_dbguard.runtime")


@dataclass(frozen=True, slots=True)
class QueryEvent:
    """A statement that ended, for "query" and "slow_query"."""

    role: str
    target: str
    """Name of the server within the role, such as "readonly-2"."""

    sql: str
    """The statement's shape: its text with `?` for every value, also for those that are written into it."""

    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """A statement or a connection attempt that failed."""

    role: str
    target: str
    error: str
    """The class of the driver's exception; its text may hold values."""

    sqlstate: str | None
    is_disconnect: bool


@dataclass(frozen=True, slots=True)
class PoolEvent:
    """Something about a pool that whoever runs it should know."""

    role: str
    target: str
    action: PoolAction
    """What happened. "leak": held for too long. "returned": a leak that came back. "collected": returned by the garbage
    collector. "frozen": did not answer in time. "replaced": all connections are to be opened anew."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class FailoverEvent:
    """A server that does not do what its role needs, or does again."""

    role: str
    target: str
    reason: str
    sqlstate: str | None = None


@dataclass(frozen=True, slots=True)
class HealthEvent:
    """A change of a target's health, after hysteresis."""

    role: str
    target: str
    before: str
    after: str
    reason: str = ""


Event = QueryEvent | ErrorEvent | PoolEvent | FailoverEvent | HealthEvent
_Listener = TypeVar("_Listener", bound=Callable[..., object])


class Events:
    """The subscribers of one manager. Safe to use from any thread."""

    def __init__(self) -> None:
        self._listeners: dict[str, tuple[Callable[..., object], ...]] = dict.fromkeys(KINDS, ())
        self.faults = 0
        """How often a listener has raised."""

    def subscribe(self, kind: Kind, listener: _Listener) -> Callable[[], None]:
        """Call `listener` with each event of a kind, in the thread where it happens; return what ends that.

        A listener that raises is logged and does not disturb the application's query. One that takes long makes the
        query take long.

        Raises:
            ValueError: For a kind that does not exist.
        """
        if kind not in self._listeners:
            raise ValueError(f"unknown kind of event {kind!r}; {did_you_mean(kind, KINDS)}")
        self._listeners[kind] = (*self._listeners[kind], listener)

        def unsubscribe() -> None:
            self._listeners[kind] = tuple(each for each in self._listeners[kind] if each is not listener)

        return unsubscribe

    def has(self, kind: Kind) -> bool:
        """Tell whether anybody wants events of a kind: making one may cost more than asking."""
        return bool(self._listeners[kind])

    def emit(self, kind: Kind, happened: Event) -> None:
        """Tell the subscribers of a kind."""
        for listener in self._listeners[kind]:
            try:
                listener(happened)
            except Exception as error:  # noqa: BLE001  whoever listens must not break the application
                self.faults += 1
                _LOG.warning("a listener for %s events raised %s", kind, type(error).__name__)
