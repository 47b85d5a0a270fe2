"""A thread that looks after pools, so that leaks are told and idle connections kept fresh while nobody asks."""

from __future__ import annotations

import asyncio
import logging
import threading
from types import TracebackType
from typing import Self

from pytest_dbguard.runtime.pools import upkeep
from pytest_dbguard.runtime.pools.forks import in_children
from pytest_dbguard.runtime.pools.operated import Operated
from pytest_dbguard.runtime.pools.queue_pool import AsyncGuardedQueuePool
from pytest_dbguard.runtime.pools.stats import PoolStats

_LOG = logging.getLogger("pytest_dbguard.runtime.pools")


class Keeper:
    """Runs `cut_frozen` and `evict` of the pools of many targets, every few seconds, in one daemon thread.

    Connections of an asynchronous pool belong to the event loop that opened the latest: there its `evict` runs, as a
    task, while the thread waits a bounded time for it. While no such loop runs, only leaks are looked for. Whether a
    server has frozen is found out in the thread itself in any case.

    In a forked child the thread starts again with the first connection that is opened there.

    Args:
        every_s: How long to rest between two passes, in seconds of real time; half the smallest `suspect_after_s`
            where that is less.
    """

    def __init__(self, every_s: float = 10.0) -> None:
        self._every_s = every_s
        self._watched: tuple[PoolStats, ...] = ()
        self._is_active = False
        self._begin()
        in_children(self, Keeper._begin)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, stats: PoolStats) -> None:
        """Look after the pools of a target, also those that it will have."""
        with self._lock:
            if stats not in self._watched:
                self._watched = (*self._watched, stats)
        stats.on_open = self._ensure_runs

    def start(self) -> None:
        """Begin; does nothing when it has begun."""
        self._is_active = True
        self._ensure_runs()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """End, and wait for a pass that is under way; False when that takes longer than `timeout_s` seconds."""
        with self._lock:
            self._is_active = False
            thread, self._thread = self._thread, None
            self._stopping.set()
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    @property
    def is_running(self) -> bool:
        """Whether the thread lives."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    def run_once(self) -> upkeep.Upkeep:
        """Look after all pools now, in this thread; return what was done in total. Raises nothing that a pool does."""
        done = [self._look_after(pool) for pool in self._pools()]
        return upkeep.Upkeep(
            sum(each.leaks for each in done),
            sum(each.closed for each in done),
            sum(each.checked for each in done),
            sum(each.opened for each in done),
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _ensure_runs(self) -> None:
        if not self._is_active or self.is_running:
            return
        with self._lock:
            if self._is_active and not self.is_running:
                self._stopping = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._stopping,), name="dbguard-pool-keeper", daemon=True
                )
                self._thread.start()

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.wait(self._rest_s()):
            self.run_once()

    def _rest_s(self) -> float:
        limits = [pool.policy.suspect_after_s for pool in self._pools()]
        return min([self._every_s, *(each / 2 for each in limits if each)])

    def _pools(self) -> list[Operated]:
        return [pool for stats in self._watched for pool in stats.pools if isinstance(pool, Operated)]

    def _look_after(self, pool: Operated) -> upkeep.Upkeep:
        try:
            if asyncio._get_running_loop() is None:
                pool.cut_frozen()
            if isinstance(pool, AsyncGuardedQueuePool):
                return self._look_after_async(pool)
            return pool.evict()
        except Exception as error:  # noqa: BLE001  one pool's trouble must not end the care for the others
            _LOG.warning("looking after a pool failed: %s", type(error).__name__)
            return upkeep.Upkeep()

    def _look_after_async(self, pool: AsyncGuardedQueuePool) -> upkeep.Upkeep:
        loop = pool.loop
        if loop is None or not loop.is_running() or loop is asyncio._get_running_loop():
            return upkeep.Upkeep(leaks=upkeep.find_leaks(pool))
        work = pool.evict_async()
        try:
            future = asyncio.run_coroutine_threadsafe(work, loop)
        except RuntimeError:  # it was closed just now
            work.close()
            return upkeep.Upkeep()
        over = threading.Event()
        future.add_done_callback(lambda _: over.set())
        left_s = pool.policy.check_timeout_s + pool.policy.connect_timeout_s * (1 + pool.warm)
        while not over.wait(min(left_s, _STEP_S)) and left_s > 0 and not self._stopping.is_set():
            left_s -= _STEP_S
        if future.cancel() or future.cancelled():
            return upkeep.Upkeep()
        return future.result()


_STEP_S = 0.1
