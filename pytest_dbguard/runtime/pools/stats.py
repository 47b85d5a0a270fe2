"""The figures of one target's pools: exact under threads, and kept when a pool is disposed of and made anew."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol
from weakref import WeakSet, ref

from pytest_dbguard.runtime.events import PoolAction
from pytest_dbguard.runtime.pools.forks import in_children
from pytest_dbguard.runtime.pools.histogram import Histogram, HistogramFigures

_LOG = logging.getLogger("pytest_dbguard.runtime.pools")
_NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """What the pools of one target held at one moment, and what has happened to them since the process began."""

    size: int = 0
    """How many idle connections are kept at most; 0 without a limit."""

    overflow: int = 0
    """How many more than `size` may be open at once; -1 without a limit."""

    in_use: int = 0
    """Connections that callers hold, or that are being opened for them."""

    idle: int = 0
    waiting: int = 0
    """Callers that wait for a connection now."""

    timeouts: int = 0
    """Callers that waited in vain."""

    shed: int = 0
    """Callers refused at once, since `max_waiting` others waited."""

    leaks: int = 0
    """Connections held for longer than `leak_after_s`."""

    collected: int = 0
    """Connections that nobody returned: the garbage collector found them."""

    connected: int = 0
    """Connections opened; less the sum of `closed`, those that are open."""

    failed: int = 0
    """Attempts to open a connection that failed."""

    frozen: int = 0
    """Connections that did not answer in time, when they were asked or in the middle of a statement."""

    closed: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    """Connections closed, by reason."""

    wait: HistogramFigures = field(default_factory=HistogramFigures)
    """Time that callers waited for a connection to be free; those that got one at once are in the first bucket."""

    use: HistogramFigures = field(default_factory=HistogramFigures)
    """Time that callers held connections."""

    connect: HistogramFigures = field(default_factory=HistogramFigures)
    """Time that opening connections took."""


class Counted(Protocol):
    """What the figures need of a pool."""

    def gauges(self) -> tuple[int, int, int, int, int]:
        """Return size, overflow, in use, idle, waiting. The caller holds the lock."""
        ...

    def forget(self, lock: threading.RLock) -> None:
        """Drop the connections of the process that this one was forked from, and use a new lock."""
        ...


class PoolStats:
    """Counts for all pools that one target ever has. Safe to use from any thread; a forked child begins anew.

    Its lock guards the pools' own state as well, so that figures always fit each other.
    """

    def __init__(self) -> None:
        self.on_event: Callable[[PoolAction, str], None] | None = None
        """Called with what happened and a text without secrets, outside of any lock, where it happens."""

        self.on_open: Callable[[], None] | None = None
        """Called when a connection was opened: whoever looks after the pools wakes up, in a forked child for one."""

        self._pools: WeakSet[Counted] = WeakSet()
        self._newest: Callable[[], Counted | None] = lambda: None
        self._begin()
        in_children(self, PoolStats._begin_in_child)

    def _begin(self) -> None:
        # the garbage collector may return a connection while this thread is inside: only a reentrant lock will do
        self.lock = threading.RLock()
        self.counts: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.wait, self.use, self.connect = Histogram(), Histogram(), Histogram()

    def _begin_in_child(self) -> None:
        self._begin()
        for pool in list(self._pools):
            pool.forget(self.lock)

    def watch(self, pool: Counted) -> None:
        """Count a pool's connections among the figures, as long as the pool lives."""
        with self.lock:
            self._pools.add(pool)
            self._newest = ref(pool)

    @property
    def pools(self) -> tuple[Counted, ...]:
        """Return the pools that are watched, those that are being replaced included."""
        with self.lock:
            return tuple(self._pools)

    def opened(self, seconds: float) -> None:
        """Count a connection that was opened."""
        with self.lock:
            self.counts["connected"] += 1
            self.connect.add(seconds)
        if self.on_open is not None:
            self.on_open()

    def count(self, what: str) -> None:
        """Count something that has happened."""
        with self.lock:
            self.counts[what] += 1

    def tell(self, action: PoolAction, detail: str) -> None:
        """Tell `on_event`; what it raises is logged and goes no further."""
        listener = self.on_event
        if listener is None:
            return
        try:
            listener(action, detail)
        except Exception as error:  # noqa: BLE001  whoever listens must not break the application
            _LOG.warning("a listener for a pool's events raised %s", type(error).__name__)

    def snapshot(self) -> PoolFigures:
        """Return all figures of one moment."""
        with self.lock:
            gauges = [pool.gauges() for pool in self._pools]
            newest = self._newest()
            size, overflow = newest.gauges()[:2] if newest is not None else (0, 0)
            return PoolFigures(
                size=size,
                overflow=overflow,
                in_use=sum(each[2] for each in gauges),
                idle=sum(each[3] for each in gauges),
                waiting=sum(each[4] for each in gauges),
                **{name: self.counts[name] for name in _COUNTS},
                closed=MappingProxyType(dict(self.closed)),
                wait=self.wait.figures(),
                use=self.use.figures(),
                connect=self.connect.figures(),
            )


_COUNTS = ("timeouts", "shed", "leaks", "collected", "connected", "failed", "frozen")
