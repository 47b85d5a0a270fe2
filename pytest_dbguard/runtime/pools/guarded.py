"""What the guarded pools share: SQLAlchemy's queue pool with limits that hold, and figures that are exact."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable
from threading import get_ident
from typing import Any, TypeVar
from weakref import ref

from sqlalchemy.pool import QueuePool

from pytest_dbguard.runtime.clock import SYSTEM_CLOCK, Clock
from pytest_dbguard.runtime.errors import PoolExhausted, PoolSaturated, ShuttingDown
from pytest_dbguard.runtime.pools import upkeep
from pytest_dbguard.runtime.pools.frozen import Suspicion
from pytest_dbguard.runtime.pools.leaks import Trace, note_statements
from pytest_dbguard.runtime.pools.liveness import FrozenPeer, check
from pytest_dbguard.runtime.pools.policy import PoolPolicy
from pytest_dbguard.runtime.pools.record import GuardedRecord, Use
from pytest_dbguard.runtime.pools.slots import PERMISSION, REFUSAL, SATURATION, Permission, Slots
from pytest_dbguard.runtime.pools.stats import PoolStats
from pytest_dbguard.runtime.pools.waiting import Waiter

_LOG = logging.getLogger("pytest_dbguard.runtime.pools")
_DEFAULTS = PoolPolicy()
T = TypeVar("T")


class Guarded(QueuePool):
    """A `QueuePool` that keeps a `PoolPolicy`: what its kinds for threads and for tasks share."""

    _new_waiter: type[Waiter]
    """How a caller waits; each kind has its own."""

    # nothing is keyword-only: create_engine finds what it may pass among the positional arguments
    def __init__(
        self,
        creator: Any,
        pool_size: int = 5,
        max_overflow: int = 10,
        timeout: float | None = 30.0,
        use_lifo: bool = True,
        policy: PoolPolicy = _DEFAULTS,
        stats: PoolStats | None = None,
        clock: Clock = SYSTEM_CLOCK,
        chance: Callable[[], float] = random.random,
        **options: Any,
    ) -> None:
        super().__init__(creator, pool_size, max_overflow, timeout, use_lifo, **options)  # type: ignore[arg-type]
        self.policy = policy
        self.stats = PoolStats() if stats is None else stats
        self.clock = clock
        self.now = clock.monotonic
        self.generation = 0
        """Connections of an earlier generation are replaced."""
        self.abandoned = 0
        """Connections of an earlier generation than this have a server that does not answer."""
        self.doubted_at = -math.inf
        """When a connection was found dead: none is handed out unasked that has not answered since."""
        self.warm = 0
        """How many connections are kept open, used or not."""
        self.records: set[GuardedRecord] = set()
        self.slots: Slots[GuardedRecord] = self._new_slots(pool_size, max_overflow)
        self.suspicion = Suspicion()
        self._chance = chance
        self._is_replaced = False
        self._inherited: list[Any] = []
        self.stats.watch(self)
        if policy.leak_after_s:
            note_statements(self._dialect)

    def _new_slots(self, size: int, overflow: int) -> Slots[GuardedRecord]:
        return Slots(self.stats.lock, size, overflow, self.stats.wait, lifo=self._pool.use_lifo)

    # What SQLAlchemy calls: a connection goes out and comes back

    def _hold(self, proxy: Any, task: Any, trace: Trace | None) -> Any:
        """Note who holds a connection that goes out."""
        record: GuardedRecord | None = proxy._connection_record
        if record is not None:  # None when a listener has detached it
            record.use = (self.now(), get_ident(), task, trace, ref(proxy))
        return proxy

    def _do_get(self) -> GuardedRecord:
        return self.slots.take() or self._claim()

    def _claim(self) -> GuardedRecord:
        got = self.slots.claim(self._new_waiter, self.policy.max_waiting)
        if isinstance(got, GuardedRecord):
            return got
        if got is SATURATION:
            raise self._saturated()
        if got is REFUSAL:
            raise _shutting_down()
        return self._open_in_place() if isinstance(got, Permission) else self._wait(got)  # type: ignore[arg-type]

    def _wait(self, waiter: Waiter) -> GuardedRecord:
        began = self.now()
        try:
            waiter.wait(self._timeout)
        except BaseException:
            if self.slots.leave(waiter):
                self._give_back(waiter.grant)
            raise
        is_served = self.slots.leave(waiter)
        with self.stats.lock:
            self.stats.wait.add(self.now() - began)
        if not is_served:
            raise self._exhausted()
        if waiter.grant is REFUSAL:
            raise _shutting_down()
        return self._open_in_place() if waiter.grant is PERMISSION else waiter.grant

    def _give_back(self, grant: Any) -> None:
        if grant is PERMISSION:
            self.slots.release()
        elif grant is not REFUSAL and not self.slots.give(grant):
            self.retire(grant, self.why_superfluous())

    def _open_in_place(self) -> GuardedRecord:
        try:
            return self._create_connection()
        except BaseException:
            self.slots.release()
            raise

    def _create_connection(self) -> GuardedRecord:
        record = GuardedRecord(self)
        with self.stats.lock:
            self.records.add(record)
        return record

    def _do_return_conn(self, record: Any) -> None:
        use: Use | None = record.use
        is_leak, statement = record.is_leak, record.last_statement
        record.use, record.last_statement, record.is_leak = None, None, False
        now = self.now()
        with self.stats.lock:
            if use is not None:
                self.stats.use.add(now - use[0])
            is_kept = (
                record.generation == self.generation
                and now < record.expires_at
                and not record.is_doomed
                and record.dbapi_connection is not None
                and not self._is_replaced
            )
            if is_kept:
                record.idle_since = record.answered_at = now
                is_kept = self.slots.give(record)
        was_dropped = use is not None and use[4]() is None
        if not is_kept:
            gone = "collected" if was_dropped else "detached"
            self.retire(record, record.why_not(now) or self.why_superfluous(), gone=gone)
        if use is not None and (is_leak or was_dropped):
            upkeep.tell_return(self, use, statement, now, is_leak=is_leak, was_dropped=was_dropped)

    def retire(self, record: GuardedRecord, reason: str, *, gone: str = "detached", aside: bool = False) -> None:
        """Close a connection that is not idle, and free its place.

        Args:
            record: The connection.
            reason: Why, for the figures.
            gone: Why, when it is not the pool's any more.
            aside: Whether it was set aside, rather than in use.
        """
        with self.stats.lock:
            if record not in self.records:  # another process's, see `forget`
                return
            self.records.discard(record)
        record.count_end(reason if record.dbapi_connection is not None else gone)
        try:
            record.end(reason)
        finally:
            self.slots.release(aside=aside)

    def why_superfluous(self) -> str:
        """Return why a connection that could be used is not kept."""
        if self.slots.is_refusing:
            return "shutdown"
        return "disposed" if self._is_replaced else "overflow"

    def _invalidate(self, connection: Any, exception: BaseException | None = None, _checkin: bool = True) -> None:
        record = getattr(connection, "_connection_record", None)
        with self.stats.lock:
            is_first = record is None or record.generation >= self.generation
            self.generation += is_first
        if is_first:
            self.stats.tell("replaced", f"after {type(exception).__name__}" if exception else "invalidated")
        if _checkin and getattr(connection, "is_valid", False):
            connection.invalidate(exception)

    # What the records ask for

    def expiry(self, now: float) -> float:
        """Return when a connection opened now must be replaced."""
        lifetimes = [each for each in (self.policy.max_lifetime_s, self._recycle) if each > 0]
        return now + min(lifetimes, default=math.inf) * (1 - self.policy.lifetime_jitter * self._chance())

    def limited(self, connect: Callable[[], T]) -> T:
        """Return what `connect` does, within `connect_timeout_s` where it can be interrupted: not here."""
        return connect()

    def answers(self, record: GuardedRecord) -> bool:
        """Ask a connection for an answer within `check_timeout_s`; close it and return False when it has none."""
        try:
            check(record.dbapi_connection, self._dialect, record.driver_connection, self.policy.check_timeout_s)
        except FrozenPeer:
            with self.stats.lock:
                self.generation += record.generation == self.generation
                self.abandoned = self.generation
                self.stats.counts["frozen"] += 1
            record.end("frozen")
            self.stats.tell("frozen", f"no answer within {self.policy.check_timeout_s:.2f} s")
            return False
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, another one is opened
            _LOG.debug("an idle connection was dead: %s", type(error).__name__)
            self.doubted_at = self.now()
            record.end("dead")
            return False
        record.answered_at = self.now()
        return True

    # Figures, and what the engine does with a whole pool

    def gauges(self) -> tuple[int, int, int, int, int]:
        """Return size, overflow, in use, idle, waiting."""
        slots = self.slots
        return slots.size, slots.overflow, slots.in_use, slots.taken - slots.in_use, len(slots.waiting)

    def dispose(self) -> None:
        """Close what is idle now, and what is in use as it comes back."""
        with self.stats.lock:
            self.generation += 1
        upkeep.close_all_idle(self, "disposed")
        self.logger.info("Pool disposed. %s", self.status())

    def recreate(self) -> Guarded:
        """Return an empty pool with the same limits and figures; this one keeps nothing any more."""
        self.logger.info("Pool recreating")
        slots = self.slots
        new = type(self)(
            self._creator,
            pool_size=slots.size,
            max_overflow=slots.overflow,
            timeout=self._timeout,
            use_lifo=self._pool.use_lifo,
            policy=self.policy,
            stats=self.stats,
            clock=self.clock,
            chance=self._chance,
            pre_ping=self._pre_ping,
            recycle=self._recycle,
            echo=self.echo,
            logging_name=self._orig_logging_name,
            reset_on_return=self._reset_on_return,
            _dispatch=self.dispatch,
            dialect=self._dialect,
        )
        new.warm, new.slots.is_refusing = self.warm, slots.is_refusing
        self._is_replaced = True
        return new

    def forget(self, lock: Any) -> None:
        """Begin anew in a forked child: the connections are the parent's, whose sessions must not be touched."""
        for record in self.records:
            # never closed, nor finalized, which would say goodbye to the server in the parent's name
            self._inherited.append(record.dbapi_connection)
            proxy = record.use[4]() if record.use is not None else None
            if proxy is not None:
                proxy.dbapi_connection = None
            record.dbapi_connection = record.use = None
        self.records = set()
        self.suspicion = Suspicion()
        self.generation += 1
        is_refusing = self.slots.is_refusing
        self.slots = self._new_slots(self.slots.size, self.slots.overflow)
        self.slots.is_refusing = is_refusing

    def _exhausted(self) -> PoolExhausted:
        self.stats.count("timeouts")
        upkeep.find_leaks(self)
        text = upkeep.describe(self, f"no connection became free within {self._timeout:.2f} s")
        self.stats.tell("exhausted", text)
        return PoolExhausted(text, code="3o7r")

    def _saturated(self) -> PoolSaturated:
        self.stats.count("shed")
        # short, since it is said often when there is much to do
        text = f"refused at once, since {self.policy.max_waiting} others wait for a connection, as many as may"
        self.stats.tell("saturated", text)
        return PoolSaturated(text, code="3o7r")


def _shutting_down() -> ShuttingDown:
    return ShuttingDown("the pool is shutting down and hands out no connection any more")
