"""Locks that a session of PostgreSQL holds until it ends, also when it ends by kill -9."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection


def lock_number(*names: str) -> int:
    """Return the number of the lock of that name."""
    digest = hashlib.sha256("\0".join(("dbguard", *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def lock(connection: Connection, number: int, *, is_shared: bool = False) -> None:
    """Take a lock, however long that takes; it is held until the connection closes."""
    connection.execute(f"SELECT pg_advisory_lock{'_shared' if is_shared else ''}(%s)", [number])


def held_locks(connection: Connection) -> frozenset[int]:
    """Return the numbers of all locks that anybody holds.

    A lock belongs to the database that its session is connected to. Runs may come through different ones, so that
    trying to take a lock tells nothing; the view shows those of all databases.
    """
    rows = connection.execute(
        "SELECT ((classid::int8 << 32) | objid::int8) FROM pg_catalog.pg_locks "
        "WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
    )
    return frozenset(int(number) for (number,) in rows)
