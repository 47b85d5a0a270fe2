"""What `create_engine` gets besides the URL: pool, timeouts, TLS, isolation, in the words of each driver."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL
from sqlalchemy.pool import Pool

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.settings.roles import Target
from pytest_dbguard.runtime.settings.tls import for_asyncpg, for_libpq, mode_in
from pytest_dbguard.runtime.settings.urls import key_password

if TYPE_CHECKING:
    from pytest_dbguard.runtime.pools.policy import PoolPolicy
    from pytest_dbguard.runtime.settings.model import DatabaseSettings

# A peer that is gone is noticed within keepalives_idle + count * interval seconds, a quarter of what Linux takes by
# itself for the first question alone (7200 s); data that nobody acknowledges within tcp_user_timeout.
_KEEPALIVES: Final[Mapping[str, int]] = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_LIBPQ_SHORTEST_CONNECT_S: Final = 2
_SQLITE_LOCK_S: Final = 5.0
_SQLITE_ISOLATIONS: Final = frozenset({"SERIALIZABLE", "READ UNCOMMITTED", "AUTOCOMMIT"})


def options_for(settings: DatabaseSettings, role: Role, target: Target, *, is_async: bool) -> dict[str, Any]:
    """Return the keyword arguments for an engine of the role on the target."""
    pool, url = settings.pool_of(role), settings.engine_url(target, is_async=is_async)
    options: dict[str, Any] = {
        "poolclass": _pool_class(is_async=is_async),
        "pool_size": pool.size,
        "max_overflow": pool.overflow,
        "pool_timeout": pool.timeout_s,
        "policy": policy_of(settings, role),
        "connect_args": _connect_args(settings, role, target, url, is_async=is_async),
        "hide_parameters": True,
        "echo": settings.logging.statements,
        "logging_name": target.name,
    }
    isolation = getattr(settings.roles, role).isolation
    # SQLite is stricter than what it does not know
    if isolation is not None and (url.get_backend_name() != "sqlite" or isolation in _SQLITE_ISOLATIONS):
        options["isolation_level"] = isolation
    return options


def _pool_class(*, is_async: bool) -> type[Pool]:
    from pytest_dbguard.runtime.pools.queue_pool import AsyncGuardedQueuePool, GuardedQueuePool

    return AsyncGuardedQueuePool if is_async else GuardedQueuePool


def policy_of(settings: DatabaseSettings, role: Role) -> PoolPolicy:
    """Return the policy of a role's pool; of a database in memory, connections stay: the data would go with them."""
    from pytest_dbguard.runtime.pools.policy import PoolPolicy

    pool = settings.pool_of(role)
    policy = PoolPolicy(
        max_lifetime_s=pool.max_lifetime_s,
        lifetime_jitter=pool.lifetime_jitter,
        keepalive_s=pool.keepalive_s,
        max_idle_s=pool.max_idle_s,
        check_after_idle_s=pool.check_after_idle_s,
        check_timeout_s=pool.check_timeout_s,
        max_waiting=pool.max_waiting or None,
        leak_after_s=pool.leak_after_s,
        suspect_after_s=pool.suspect_after_s,
        connect_timeout_s=settings.timeouts.connect_s,
    )
    in_memory = any(target.url.vanishes for target in settings.targets() if target.role in (role, "primary"))
    return replace(policy, max_lifetime_s=0, max_idle_s=0) if in_memory else policy


def _connect_args(
    settings: DatabaseSettings, role: Role, target: Target, url: URL, *, is_async: bool
) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return _sqlite(settings, is_async=is_async)
    arguments = _asyncpg if url.get_driver_name() == "asyncpg" else _libpq
    return arguments(settings, role, target, url)


def _sqlite(settings: DatabaseSettings, *, is_async: bool) -> dict[str, Any]:
    """Return arguments of sqlite3: only waits for locks can be limited there."""
    arguments: dict[str, Any] = {"timeout": settings.timeouts.lock_s or _SQLITE_LOCK_S, "check_same_thread": False}
    if is_async:
        from pytest_dbguard.databases.event_loops import daemonic

        arguments |= daemonic()
    return arguments


def _libpq(settings: DatabaseSettings, role: Role, target: Target, url: URL) -> dict[str, Any]:
    """Return arguments of psycopg and psycopg2. What the URL says itself is left to it."""
    own = [f"-c {name}={value}" for name, value in _limits(settings, role).items()]
    # the last one wins: the URL's
    options = " ".join([*own, *_texts(url.query.get("options"))])
    arguments: dict[str, Any] = {
        "connect_timeout": max(_LIBPQ_SHORTEST_CONNECT_S, math.ceil(settings.timeouts.connect_s)),
        "application_name": _name(settings, role),
        **_KEEPALIVES,
        **for_libpq(settings.tls, mode_in(target.url, settings.tls) or settings.tls.mode),
        **key_password(target.url),
    }
    said = {name: value for name, value in arguments.items() if name not in url.query}
    return said | ({"options": options} if options else {})


def _asyncpg(settings: DatabaseSettings, role: Role, target: Target, url: URL) -> dict[str, Any]:
    limits = {name: str(value) for name, value in _limits(settings, role).items()}
    arguments: dict[str, Any] = {
        "timeout": settings.timeouts.connect_s,
        "server_settings": {"application_name": _name(settings, role), **limits},
        **key_password(target.url),
    }
    # what the URL says of TLS stands in it too, but a text cannot name the files
    tls = for_asyncpg(settings.tls, mode_in(target.url, settings.tls) or settings.tls.mode)
    return {name: value for name, value in arguments.items() if name not in url.query} | tls


def _limits(settings: DatabaseSettings, role: Role) -> dict[str, int]:
    """Return PostgreSQL's parameters for a session, in milliseconds; a limit that is off is left to the server."""
    timeouts = settings.timeouts
    seconds = {
        "statement_timeout": settings.statement_s(role),
        "lock_timeout": timeouts.lock_s,
        "idle_in_transaction_session_timeout": timeouts.idle_in_transaction_s,
    }
    return {name: max(1, round(limit * 1000)) for name, limit in seconds.items() if limit}


def _name(settings: DatabaseSettings, role: Role) -> str:
    return f"{settings.app}:{role}"


def _texts(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else value
