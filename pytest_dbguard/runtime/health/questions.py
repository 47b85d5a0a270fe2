"""Asks one server over a connection that is open, in a transaction that leaves nothing behind on it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import URL
from sqlalchemy.engine import Dialect

from pytest_dbguard.runtime.health.answers import Answer

# A server does not notice that whoever asked has gone while it waits for a lock: its sessions would pile up behind a
# migration. Local to the transaction, since a pooler such as PgBouncer gives the session to others afterwards.
_LIMITS = """
SELECT /* dbguard: own */ set_config('lock_timeout', '100ms', true), set_config('statement_timeout', '{}ms', true)
"""
_LOCK_NOT_AVAILABLE = "55P03"

# Nothing in it fails on a primary, on a replica or for a user without privileges: what fails is written into the
# server's log, every few seconds. An LSN less the first one is a number of bytes.
_POSTGRESQL = """
SELECT /* dbguard: own */
    pg_is_in_recovery(),
    current_setting('transaction_read_only') = 'on',
    CASE WHEN pg_is_in_recovery() THEN NULL ELSE (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint END,
    (pg_last_wal_receive_lsn() - '0/0'::pg_lsn)::bigint,
    (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint,
    extract(epoch FROM pg_last_xact_replay_timestamp())::float8,
    extract(epoch FROM clock_timestamp())::float8,
    extract(epoch FROM pg_postmaster_start_time())::float8,
    EXISTS (SELECT FROM pg_stat_wal_receiver),
    CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END,
    to_regclass('alembic_version') IS NOT NULL
        AND has_table_privilege(to_regclass('alembic_version'), 'SELECT')
"""
_SQLITE = "SELECT /* dbguard: own */ count(*) FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
_REVISIONS = "SELECT /* dbguard: own */ version_num FROM alembic_version ORDER BY version_num"


def ask(dialect: Dialect, connection: Any, url: URL, limit_s: float) -> Answer:
    """Return what a server says of itself, all but `connect_ms`.

    Args:
        dialect: Of the engine.
        connection: The driver's, as the dialect sees it.
        url: Of the engine.
        limit_s: Seconds after which the server itself gives up.
    """
    if dialect.name == "postgresql":
        return _ask_postgresql(connection, limit_s)
    if dialect.name == "sqlite":
        return _ask_sqlite(connection, url, limit_s)
    began = perf_counter()
    dialect.do_ping(connection)
    return Answer(reachable=True, latency_ms=(perf_counter() - began) * 1e3)


def is_in_memory(url: URL) -> bool:
    """Whether a URL leads to an SQLite database in memory, of one connection or shared by those of this process."""
    return url.get_backend_name() == "sqlite" and sqlite_file(url) is None


def sqlite_file(url: URL) -> Path | None:
    """Return the file of an SQLite database; None for one in memory, and for other databases."""
    name, _, options = (url.database or "").removeprefix("file:").partition("?")
    in_memory = name in ("", ":memory:") or "mode=memory" in options
    if url.get_backend_name() != "sqlite" or in_memory:
        return None
    return None if url.query.get("mode") == "memory" or url.query.get("vfs") == "memdb" else Path(name)


def _ask_postgresql(connection: Any, limit_s: float) -> Answer:
    _rows(connection, _LIMITS.format(max(1, int(limit_s * 1e3))))
    began = perf_counter()
    (row,) = _rows(connection, _POSTGRESQL)
    latency_ms = (perf_counter() - began) * 1e3
    is_replica, read_only, current, received, replayed, replayed_at, now, started, streams, paused, has_revision = row
    revision = _revision_unless_locked(connection) if has_revision else None
    connection.rollback()
    return Answer(
        reachable=True,
        latency_ms=latency_ms,
        read_only=bool(is_replica or read_only),
        is_replica=is_replica,
        was_replica=replayed is not None,
        started_at=started,
        current_lsn=current,
        received_lsn=received if is_replica else None,
        replayed_lsn=replayed if is_replica else None,
        replayed_at=replayed_at if is_replica else None,
        server_time=now,
        is_streaming=streams,
        is_paused=paused,
        revision=revision,
    )


def _ask_sqlite(connection: Any, url: URL, limit_s: float) -> Answer:
    # soon enough for whoever waits: the driver's own default are 5 seconds
    _rows(connection, f"PRAGMA busy_timeout = {max(1, int(limit_s * 500))}")
    began = perf_counter()
    ((tables,),) = _rows(connection, _SQLITE)
    latency_ms = (perf_counter() - began) * 1e3
    # not the engine's URL: a listener may have led the connection elsewhere
    file = next(
        (Path(path) for _, name, path in _rows(connection, "PRAGMA database_list") if name == "main" and path), None
    )
    return Answer(
        reachable=True,
        latency_ms=latency_ms,
        read_only=file is not None and _refuses_writes(file, url),
        revision=_revision(connection) if tables else None,
        disk_free_bytes=shutil.disk_usage(file.parent).free if file is not None else None,
    )


def _refuses_writes(file: Path, url: URL) -> bool:
    """Whether a file cannot be written: by its mode, by that of its directory (for the journal), or by its URL."""
    in_url = {url.query.get("mode"), *str(url.database).partition("?")[2].split("&")}
    return bool(in_url & {"ro", "mode=ro"}) or not all(os.access(path, os.W_OK) for path in (file, file.parent))


def _revision_unless_locked(connection: Any) -> str | None:
    try:
        return _revision(connection)
    except Exception as error:
        if getattr(error, "sqlstate", getattr(error, "pgcode", None)) == _LOCK_NOT_AVAILABLE:
            return None
        raise


def _revision(connection: Any) -> str | None:
    return ", ".join(str(version) for (version,) in _rows(connection, _REVISIONS)) or None


def _rows(connection: Any, statement: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
        rows: list[tuple[Any, ...]] = list(cursor.fetchall())
        return rows
    finally:
        cursor.close()
