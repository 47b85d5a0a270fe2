"""Runs that share a server: each holds a lock, and what runs without one have left is deleted."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_dbguard.databases.base import Server
from pytest_dbguard.templates.advisory_locks import held_locks, lock, lock_number
from pytest_dbguard.templates.maintenance import Entry, Maintenance
from pytest_dbguard.templates.marks import Kind

if TYPE_CHECKING:
    from psycopg import Connection

# Killed between CREATE DATABASE and COMMENT, which cannot be one transaction: the name alone says whose it was.
_UNMARKED = re.compile(r"dbguard_(?:b_[0-9a-f]{16}_)?(?P<run>[0-9a-f]{8})(?:_.*)?", re.DOTALL)
_OF_A_RUN = frozenset({Kind.COPY, Kind.BUILD})


@dataclass(frozen=True, slots=True)
class Run:
    """One run of pytest, and which of its processes this is."""

    id: str
    worker: str = "main"


class RunLock:
    """Says to other runs on the server that this one is alive, until it is closed or its process ends."""

    def __init__(self, server: Server, run_id: str) -> None:
        """Take the lock; any number of processes of a run may hold it."""
        maintenance = Maintenance(server)
        with maintenance.told():
            self._connection: Connection = maintenance.connect()
            lock(self._connection, run_lock(run_id), is_shared=True)

    def close(self) -> None:
        """Let the lock go. Closing twice is allowed."""
        import psycopg

        with suppress(psycopg.Error):
            # the server takes a moment to notice that a connection was closed
            self._connection.execute("SELECT pg_advisory_unlock_all()")
        self._connection.close()


def run_lock(run_id: str) -> int:
    """Return the number of a run's lock."""
    return lock_number("run", run_id)


def sweep(server: Server) -> list[str]:
    """Delete the databases of runs that have ended without doing so; return their names.

    Never those of a run that is alive, and never what was kept on purpose.
    """
    maintenance = Maintenance(server)
    try:
        # in this order: a run takes its lock before it makes databases
        entries = maintenance.entries()
        with maintenance.connection() as connection:
            held = held_locks(connection)
        left = [entry.name for entry in entries if (run := run_of(entry)) is not None and run_lock(run) not in held]
        for name in left:
            maintenance.drop_unseen(name)
        return left
    finally:
        maintenance.close()


def run_of(entry: Entry) -> str | None:
    """Return the run that a database belongs to and ends with; None for any other database."""
    mark = entry.mark
    if mark is not None:
        return mark.run if mark.kind in _OF_A_RUN and mark.run else None
    match = _UNMARKED.fullmatch(entry.name) if entry.comment is None else None
    return match["run"] if match else None
