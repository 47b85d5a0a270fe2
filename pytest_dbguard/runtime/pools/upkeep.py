"""Looks after the connections of a pool: closes, checks and opens idle ones, finds those that are held for too long."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_dbguard.runtime.pools.leaks import Holder, owner_name, shape_of, shown

if TYPE_CHECKING:
    from pytest_dbguard.runtime.pools.guarded import Guarded
    from pytest_dbguard.runtime.pools.record import GuardedRecord, Use

_LOG = logging.getLogger("pytest_dbguard.runtime.pools")
_HOLDERS_TOLD = 10


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What one pass over a pool did: how many connections it found leaking, closed, checked and opened."""

    leaks: int = 0
    closed: int = 0
    checked: int = 0
    opened: int = 0


def evict(pool: Guarded) -> Upkeep:
    """Look after a pool once.

    Reports what is held for too long; closes idle connections that are too old, idle for too long, or more than the
    size; asks those that have not answered for `keepalive_s`, each within `check_timeout_s`; opens as many as
    `warm_up` asked for. Connections are out of the pool only while they are looked after, one at a time when asked.
    Does not raise for a server that cannot be reached.
    """
    leaks = find_leaks(pool)
    closed = close_unusable(pool)
    checked, dead = _keep_alive(pool)
    if dead:
        closed += dead + close_unusable(pool)
    return Upkeep(leaks, closed, checked, _refill(pool))


def close_unusable(pool: Guarded) -> int:
    """Close the idle connections that would not be handed out or are too many; return how many."""
    now = pool.now()
    reasons: dict[GuardedRecord, str] = {}
    with pool.stats.lock:
        slots = pool.slots
        for record in sorted(slots.idle, key=lambda each: each.idle_since):
            reason = record.why_not(now) or _why_superfluous(pool, record, slots.taken - len(reasons), now)
            if reason is not None:
                reasons[record] = reason
        unusable = slots.set_aside(reasons.__contains__)
    _retire_all(pool, unusable, reasons)
    return len(unusable)


def close_all_idle(pool: Guarded, reason: str) -> int:
    """Close all idle connections; return how many."""
    idle = pool.slots.set_aside(lambda _: True)
    _retire_all(pool, idle, dict.fromkeys(idle, reason))
    return len(idle)


def _why_superfluous(pool: Guarded, record: GuardedRecord, taken: int, now: float) -> str | None:
    if pool.slots.is_refusing:
        return "shutdown"
    if taken > pool.slots.limit or taken - pool.slots.in_use > pool.slots.max_idle:
        return "overflow"
    max_idle_s = pool.policy.max_idle_s
    return "idle" if max_idle_s and now - record.idle_since >= max_idle_s and taken > pool.warm else None


def _retire_all(pool: Guarded, records: list[GuardedRecord], reasons: dict[GuardedRecord, str]) -> None:
    pending = list(records)
    try:
        while pending:
            record = pending.pop()
            pool.retire(record, reasons[record], aside=True)
    finally:
        # only after a cancellation or an interruption: their places must not be lost
        for record in pending:
            _put_back(pool, record)


def _put_back(pool: Guarded, record: GuardedRecord) -> None:
    if not pool.slots.give(record, aside=True):
        pool.retire(record, pool.why_superfluous(), aside=True)


def _keep_alive(pool: Guarded) -> tuple[int, int]:
    """Ask the idle connections that have not answered for long, one after the other; return how many, and the dead."""
    began = pool.now()
    asked: set[GuardedRecord] = set()
    dead = 0
    while (record := _next_due(pool, began, asked)) is not None:
        asked.add(record)
        answers = False
        try:
            answers = pool.answers(record)
        finally:
            if answers:
                _put_back(pool, record)
            else:
                dead += 1
                pool.retire(record, "dead", aside=True)
    return len(asked), dead


def _next_due(pool: Guarded, now: float, asked: set[GuardedRecord]) -> GuardedRecord | None:
    keepalive_s = pool.policy.keepalive_s
    if not keepalive_s:
        return None
    with pool.stats.lock:
        for record in list(pool.slots.idle):
            is_due = now - record.answered_at >= keepalive_s or record.answered_at <= pool.doubted_at
            if is_due and record not in asked and record.generation == pool.generation:
                return pool.slots.set_aside({record}.__contains__)[0]
    return None


def warm_up(pool: Guarded, count: int) -> int:
    """Open connections until `count` are open, and keep that many; return how many are open."""
    pool.warm = max(count, 0)
    _open_missing(pool)
    return pool.slots.taken


def _refill(pool: Guarded) -> int:
    before = pool.stats.counts["connected"]
    try:
        return _open_missing(pool)
    except Exception as error:  # noqa: BLE001  the next pass tries again
        _LOG.warning("a pool cannot open connections ahead of need: %s", type(error).__name__)
        return pool.stats.counts["connected"] - before


def _open_missing(pool: Guarded) -> int:
    opened = 0
    while pool.slots.taken < pool.warm and pool.slots.reserve():
        try:
            record = pool._create_connection()
        except BaseException:
            pool.slots.release(aside=True)
            raise
        opened += 1
        _put_back(pool, record)
    return opened


def find_leaks(pool: Guarded) -> int:
    """Report the connections held for longer than `leak_after_s`, each once; return how many are new."""
    limit = pool.policy.leak_after_s
    if not limit:
        return 0
    now = pool.now()
    with pool.stats.lock:
        found = [(record, use) for record, use in _held(pool) if not record.is_leak and now - use[0] >= limit]
        for record, _ in found:
            record.is_leak = True
        pool.stats.counts["leaks"] += len(found)
    for record, use in found:
        holder = _holder(use, record.last_statement, now, is_leak=True)
        _LOG.warning("a connection is not given back: %s", holder)
        pool.stats.tell("leak", str(holder))
    return len(found)


def _held(pool: Guarded) -> list[tuple[GuardedRecord, Use]]:
    # a copy: the garbage collector may end a connection meanwhile, in this very thread
    return [(record, use) for record in list(pool.records) if (use := record.use) is not None]


def tell_return(
    pool: Guarded, use: Use, statement: str | None, now: float, *, is_leak: bool, was_dropped: bool
) -> None:
    """Tell of a connection that came back late, or that nobody gave back, with the last statement on it."""
    holder = _holder(use, statement, now, is_leak=is_leak)
    if was_dropped:
        pool.stats.count("collected")
        _LOG.warning("a connection was never given back, and returned by the garbage collector: %s", holder)
        pool.stats.tell("collected", str(holder))
    if is_leak:
        pool.stats.tell("returned", str(holder))


def holders(pool: Guarded) -> tuple[Holder, ...]:
    """Return who holds connections, longest first."""
    now = pool.now()
    with pool.stats.lock:
        held = _held(pool)
    found = (_holder(use, record.last_statement, now, is_leak=record.is_leak) for record, use in held)
    return tuple(sorted(found, key=lambda each: each.since))


def _holder(use: Use, statement: str | None, now: float, *, is_leak: bool) -> Holder:
    since, thread, task, trace, _ = use
    return Holder(
        owner_name(thread, task),
        now - since,
        since,
        shown(trace) if trace else (),
        shape_of(statement),
        is_leak,
    )


def describe(pool: Guarded, what: str) -> str:
    """Return a text that says what happened and who holds the connections."""
    with pool.stats.lock:
        size, overflow, in_use, _, waiting = pool.gauges()
    lines = [f"{what}: {in_use} of {size} + {overflow} are in use, {waiting} callers wait"]
    held = holders(pool)
    lines += [f"  {each}" for each in held[:_HOLDERS_TOLD]]
    if len(held) > _HOLDERS_TOLD:
        lines.append(f"  and {len(held) - _HOLDERS_TOLD} more")
    return "\n".join(lines)
