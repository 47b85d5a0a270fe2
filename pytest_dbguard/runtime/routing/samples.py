"""What a server says of itself when it is asked how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pytest_dbguard.runtime.routing.asking import Row
from pytest_dbguard.runtime.routing.positions import Position

COMMIT_QUERY: Final = """\
SELECT pg_current_wal_insert_lsn()::text, substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)"""
"""Where primary's log is after a commit, and the timeline. Where it is inserted, not where it was written to: with
`synchronous_commit` off the record of the commit itself may not have been written yet."""

# received_tli is told to members of pg_monitor alone; to all others the row of the receiver is all null
SAMPLE_QUERY: Final = """\
SELECT pg_is_in_recovery()::text,
 CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text,
 CASE WHEN pg_is_in_recovery() THEN (SELECT to_hex(received_tli) FROM pg_stat_wal_receiver)
  ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END,
 extract(epoch FROM pg_postmaster_start_time())::text,
 extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::text"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer of a server."""

    at: float
    """When it was asked, by the monotonic clock."""

    position: Position | None = None
    """What it has replayed, or, where it is a primary, what it has written; None where it does not tell."""

    is_standby: bool = False
    started: str | None = None
    """When the server was started, which no two servers have in common; None for other databases than PostgreSQL."""

    age_s: float | None = None
    """Seconds since the last transaction that it has replayed was committed, by its own clock."""

    @property
    def has_positions(self) -> bool:
        """Whether it is a server that could lag behind: SQLite's files cannot."""
        return self.started is not None


def commit_position(row: Row) -> Position | None:
    """Return what the answer to `COMMIT_QUERY` says."""
    lsn, timeline = row
    return None if lsn is None else Position.of_lsn(lsn, timeline=int(timeline or "0", 16))


def sample_of(row: Row, at: float) -> Sample:
    """Return what the answer to `SAMPLE_QUERY` says."""
    is_standby, lsn, timeline, started, age = row
    position = None if lsn is None else Position.of_lsn(lsn, timeline=int(timeline or "0", 16))
    return Sample(at, position, is_standby == "true", started, None if age is None else float(age))
