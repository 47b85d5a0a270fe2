"""Ends the transactions that a test left open in a PostgreSQL database, and says whose they were."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.resets.base import Leak, Ledger
from pytest_dbguard.resets.postgres_probe import BUSY, PREPARED, Busy, parse_busy
from pytest_dbguard.resets.postgres_session import PostgresSession

_GRACE_S = 0.5
_END_S = 2.0
_POLL_S = 0.005
_HOLDERS = """
SELECT DISTINCT pid FROM pg_locks WHERE relation = ANY ('{{{tables}}}'::oid[]) AND granted AND pid <> pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Intruders:
    """Other people's transactions, as one of our sessions sees them."""

    def __init__(
        self,
        session: PostgresSession,
        ledger: Ledger,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = session
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep

    def busy(self) -> tuple[Busy, ...]:
        """Return the sessions that are in a transaction, but for those that fixtures of a wider scope hold."""
        ((found,),) = self._session.run(f"SELECT {BUSY}")
        return self.not_kept(parse_busy(found))

    def not_kept(self, busy: Iterable[Busy]) -> tuple[Busy, ...]:
        """Leave out what fixtures of a wider scope hold."""
        busy = tuple(busy)
        kept = self._ledger.kept_backends() if busy else frozenset()
        return tuple(session for session in busy if session.pid not in kept)

    def end(self, busy: Iterable[Busy]) -> list[Leak]:
        """End transactions; a statement that is running is given a moment to finish its transaction by itself."""
        wanted = {session.pid for session in busy}
        if not wanted:
            return []
        deadline = self._clock() + _GRACE_S
        present = [session for session in self.busy() if session.pid in wanted]
        while any(session.is_running for session in present) and self._clock() < deadline:
            self._sleep(_POLL_S)
            present = [session for session in self.busy() if session.pid in wanted]
        return [self._ended(session) for session in present]

    def end_prepared(self) -> list[Leak]:
        """Roll back transactions that were prepared for a second phase which never came."""
        ((found,),) = self._session.run(f"SELECT {PREPARED}")
        if not found:
            return []
        ((number,),) = self._session.run(f"SELECT array_length(ARRAY[{found}], 1)")
        for gid in self._session.run(f"SELECT quote_literal(g) FROM unnest(ARRAY[{found}]) g"):
            self._session.run(f"ROLLBACK PREPARED {gid[0]}")
        return [Leak(None, "a transaction that was prepared and never finished")] * int(number or 0)

    def end_holders(self, relations: Iterable[int]) -> list[Leak]:
        """End the sessions that hold locks on tables or sequences, but for those of fixtures of a wider scope."""
        kept = self._ledger.kept_backends()
        return [self._ended(Busy(pid, is_running=False)) for pid in self._holders(relations) if pid not in kept]

    def refuse_kept(self, relations: Iterable[int]) -> None:
        """Raise when a fixture of a wider scope holds locks on tables or sequences.

        Raises:
            DatabaseError: Naming the fixture.
        """
        kept = self._ledger.kept_backends()
        for pid in self._holders(relations):
            if pid in kept:
                owner = self._ledger.leak_of(pid, "").owner or "a fixture of a wider scope"
                raise DatabaseError(
                    f"the database cannot be cleaned: {owner} holds locks in a transaction that it has not ended",
                    hint="commit or roll back in the fixture before it yields",
                )

    def _holders(self, relations: Iterable[int]) -> list[int]:
        oids = ",".join(map(str, relations))
        return [int(pid or 0) for (pid,) in self._session.run(_HOLDERS.format(tables=oids))]

    def _ended(self, session: Busy) -> Leak:
        what = "a statement that was still running" if session.is_running else "an open transaction"
        leak = self._ledger.leak_of(session.pid, f"a connection with {what}")
        self._session.run(f"SELECT pg_terminate_backend({session.pid})")
        deadline = self._clock() + _END_S
        while self._session.run(f"SELECT FROM pg_stat_get_activity({session.pid})") and self._clock() < deadline:
            self._sleep(_POLL_S)
        return leak
