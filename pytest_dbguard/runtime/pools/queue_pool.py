"""The guarded pools: one for threads, one for tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util import greenlet_spawn
from sqlalchemy.util.concurrency import in_greenlet

from pytest_dbguard.runtime.pools.leaks import current_task, traced
from pytest_dbguard.runtime.pools.liveness import within
from pytest_dbguard.runtime.pools.operated import Operated
from pytest_dbguard.runtime.pools.upkeep import Upkeep
from pytest_dbguard.runtime.pools.waiting import TaskWaiter, ThreadWaiter

T = TypeVar("T")


class GuardedQueuePool(Operated):
    """A `QueuePool` for threads that keeps a `PoolPolicy`. Pass it to `create_engine` as `poolclass`.

    Who waits is served in order, and the latest returned connection first. Nothing depends on the wall clock. Its own
    work costs a few microseconds for each checkout and checkin.

    Args:
        creator: Opens a connection; `create_engine` gives it.
        pool_size: How many idle connections are kept at most; 0 without a limit.
        max_overflow: How many more may be open at once; -1 without a limit.
        timeout: How long a caller may wait for a connection, in seconds; None for as long as it takes.
        use_lifo: Whether the latest returned connection is handed out first, so that those in excess grow idle.
        policy: The limits.
        stats: The figures of the target; ones of its own when it is None.
        clock: Measures ages and durations. How long a caller waits and a check takes is real time in any case.
        chance: Gives numbers from 0 to 1 for the jitter of lifetimes.
        **options: As for `QueuePool`. `recycle` shortens `max_lifetime_s`; `pre_ping` is not needed, nor bounded.
    """

    _new_waiter = ThreadWaiter

    def connect(self) -> Any:
        """Return a connection, which goes back into the pool when it is closed.

        Raises:
            PoolExhausted: When none became free in time; says who holds them.
            PoolSaturated: At once, when too many wait already.
            ShuttingDown: After `refuse`.
        """
        return self._hold(super().connect(), None, traced() if self.policy.leak_after_s else None)

    def wait_until_idle(self, deadline_s: float) -> bool:
        """Wait until nobody holds a connection; False when that takes longer than `deadline_s` seconds."""
        unused = threading.Event()
        self.slots.when_unused(unused.set)
        try:
            return unused.wait(deadline_s)
        finally:
            self.slots.never_mind(unused.set)


class AsyncGuardedQueuePool(Operated, AsyncAdaptedQueuePool):
    """A `GuardedQueuePool` for tasks. Pass it to `create_async_engine` as `poolclass`.

    What opens, closes or asks connections has a twin that is awaited, `evict_async` for one: without `_async` such a
    method must run where SQLAlchemy runs asynchronous drivers, as in `run_sync`. `resize`, `drain`, `replace_all` and
    `close_for_good` may be called anywhere: where connections cannot be closed, the next pass of `evict` does it.
    """

    _new_waiter = TaskWaiter

    def __init__(self, *args: Any, **options: Any) -> None:
        from greenlet import getcurrent  # type: ignore[import-untyped]

        super().__init__(*args, **options)
        self._current_greenlet = getcurrent
        self.loop: asyncio.AbstractEventLoop | None = None
        """The event loop that the latest connection was opened in."""

    def connect(self) -> Any:
        """Return a connection, as that of `GuardedQueuePool` does."""
        proxy = super().connect()
        trace = traced(self._current_greenlet) if self.policy.leak_after_s else None
        return self._hold(proxy, current_task(), trace)

    def limited(self, connect: Callable[[], T]) -> T:
        """Return what `connect` does, or raise the driver's `OperationalError` after `connect_timeout_s`."""
        self.loop = asyncio.get_running_loop()
        try:
            return within(self.policy.connect_timeout_s, connect)
        except TimeoutError as error:
            text = f"no connection could be opened within {self.policy.connect_timeout_s:.2f} s"
            kind = getattr(getattr(self._dialect, "dbapi", None), "OperationalError", TimeoutError)
            raise kind(text) from error

    async def evict_async(self) -> Upkeep:
        """Look after the pool once; see `upkeep.evict`."""
        return await greenlet_spawn(self.evict)

    async def warm_up_async(self, count: int) -> int:
        """Open connections until so many are open, and keep that many from now on; return how many are."""
        return await greenlet_spawn(self.warm_up, count)

    async def close_for_good_async(self) -> None:
        """Refuse, close what is idle now and what is in use as it comes back."""
        await greenlet_spawn(self.close_for_good)

    async def drain_async(self) -> None:
        """Have every connection replaced: idle ones now, those in use as they come back."""
        await greenlet_spawn(self.drain)

    async def wait_until_idle(self, deadline_s: float) -> bool:
        """Wait until nobody holds a connection; False when that takes longer than `deadline_s` seconds."""
        loop, unused = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(unused.set)

        self.slots.when_unused(wake)
        try:
            await asyncio.wait_for(unused.wait(), deadline_s)
        except TimeoutError:
            return False
        finally:
            self.slots.never_mind(wake)
        return True

    def _tidy(self) -> None:
        if in_greenlet():
            super()._tidy()
