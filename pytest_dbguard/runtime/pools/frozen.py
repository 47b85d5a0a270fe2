"""Ends statements whose server has frozen: suspects those that wait for long, and cuts them only when sure."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from pytest_dbguard.runtime.cutting import sever
from pytest_dbguard.runtime.pools.progress import transferred, waits
from pytest_dbguard.runtime.pools.second_opinion import SecondOpinion

if TYPE_CHECKING:
    from pytest_dbguard.runtime.pools.guarded import Guarded
    from pytest_dbguard.runtime.pools.record import GuardedRecord

_LOG = logging.getLogger("pytest_dbguard.runtime.pools")
_MOST_PATIENCE = 8
"""How many times `suspect_after_s` a statement on a server that answers is left alone at the most."""


@dataclass(slots=True)
class Wait:
    """A connection that waits for an answer, and has made no progress since it was first seen to."""

    mark: tuple[Any, ...]
    since: float
    patience_s: float
    due_at: float


class Suspicion:
    """Looks at the connections of one pool that are in use, a pass at a time.

    One that has waited for an answer to the same statement for `suspect_after_s`, while no byte came or went, is
    suspected. Then another connection to the same server is tried, at most one at a time and one in `suspect_after_s`.
    When anybody answers there, nothing happens: a statement may take as long as it likes, and is suspected again after
    twice the time, up to 8 times. When nobody does within `connect_timeout_s`, the suspects' sockets are shut: their
    callers get the driver's error of a lost connection, and the pool replaces all connections.

    A single connection that hangs on a server which serves others is not told from a long statement.
    """

    def __init__(self) -> None:
        self._waits: dict[GuardedRecord, Wait] = {}
        self._opinion: SecondOpinion | None = None
        self._next_at = -math.inf
        self._passing = Lock()

    def look(self, pool: Guarded) -> int:
        """Look once, and return how many connections were cut. Waits for `connect_timeout_s` where one is suspected.

        Must not be called in an event loop. A pass that comes during another one does nothing.
        """
        if not pool.policy.suspect_after_s or not self._passing.acquire(blocking=False):
            return 0
        try:
            self._note(pool)
            now = pool.now()
            suspects = [record for record, wait in self._waits.items() if now >= wait.due_at]
            if not suspects or now < self._next_at or self.is_asking:
                return 0
            return self._verify(pool, suspects)
        finally:
            self._passing.release()

    @property
    def is_asking(self) -> bool:
        """Whether another connection is being tried, be it that nobody waits for the outcome any more."""
        return self._opinion is not None and self._opinion.is_under_way

    @property
    def waiting(self) -> int:
        """How many connections waited for an answer when they were last looked at."""
        return len(self._waits)

    def _note(self, pool: Guarded) -> None:
        """Remember who waits, and forget who does not any more."""
        now, limit_s = pool.now(), pool.policy.suspect_after_s
        with pool.stats.lock:
            marks = {record: mark for record in list(pool.records) if (mark := _mark(record)) is not None}
        known = self._waits
        self._waits = {
            record: known[record]
            if record in known and known[record].mark == mark
            else Wait(mark, now, limit_s, now + limit_s)
            for record, mark in marks.items()
        }

    def _verify(self, pool: Guarded, suspects: list[GuardedRecord]) -> int:
        try:
            self._opinion = SecondOpinion(pool)
        except RuntimeError:  # this process can have no more threads
            return 0
        is_silent = self._opinion.is_silent(pool.policy.connect_timeout_s)
        now, limit_s = pool.now(), pool.policy.suspect_after_s
        self._next_at = now + limit_s
        for wait in (self._waits[record] for record in suspects):
            wait.patience_s = min(wait.patience_s * 2, limit_s * _MOST_PATIENCE)
            wait.due_at = now + wait.patience_s
        return self._cut(pool, suspects) if is_silent else 0

    def _cut(self, pool: Guarded, suspects: list[GuardedRecord]) -> int:
        with pool.stats.lock:
            # what was answered meanwhile is let be
            frozen = [record for record in suspects if _mark(record) == self._waits[record].mark]
            connections = [record.driver_connection for record in frozen]
            if not frozen:
                return 0
            # before their sockets are shut: one that comes back just now must not be handed out again
            pool.generation += 1
            pool.abandoned = pool.generation
            pool.stats.counts["frozen"] += len(frozen)
        for each in connections:
            sever(each)
        longest_s = pool.now() - min(self._waits[record].since for record in frozen)
        count = "a statement was" if len(frozen) == 1 else f"{len(frozen)} statements were"
        text = (
            f"{count} cut: no answer for {longest_s:.2f} s, "
            f"nor on a new connection within {pool.policy.connect_timeout_s:.2f} s"
        )
        _LOG.warning("the server has frozen: %s", text)
        pool.stats.tell("frozen", text)
        return len(frozen)


def _mark(record: GuardedRecord) -> tuple[Any, ...] | None:
    """Return what stays the same as long as a connection waits for the same answer; None when it does not wait."""
    use, connection = record.use, record.driver_connection
    if use is None or connection is None or not waits(connection):
        return None
    return id(use), use[0], record.statements, transferred(connection)
