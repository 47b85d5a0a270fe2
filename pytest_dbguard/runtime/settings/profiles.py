"""What each profile changes in the defaults, and where its numbers come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from pytest_dbguard.runtime.settings.fields import Path
from pytest_dbguard.runtime.settings.layers import Layer, Origin

Profile = Literal["development", "production", "test"]
PROFILES: Final[tuple[Profile, ...]] = get_args(Profile)

_DEVELOPMENT: Final[Mapping[str, Any]] = {
    "pool": {"size": 2, "overflow": 3, "leak_after_s": 30.0},
    "timeouts": {"statement_s": 60.0, "lock_s": 10.0, "shutdown_s": 2.0},
    "logging": {"statements": True, "slow_ms": 100.0},
}
_PRODUCTION: Final[Mapping[str, Any]] = {
    "pool": {
        # HikariCP's maximumPoolSize, 10: (cores x 2) + disks of a server of 4 cores
        # (github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing), and half as many for bursts, and for code that
        # asks for a second connection while it holds one. 6 processes of 15 fit into PostgreSQL's own 100 - 3.
        "size": 10,
        "overflow": 5,
        # gunicorn ends a worker after 30 s (docs.gunicorn.org, `timeout`): a request must have failed well before
        "timeout_s": 10.0,
        # psycopg_pool's max_waiting, with a number: with 20 ms a transaction, 15 connections serve 100 in 0.14 s
        "max_waiting": 100,
        # HikariCP's maxLifetime, keepaliveTime, idleTimeout and aliveBypassWindowMs; psycopg_pool's 5 % of jitter
        "max_lifetime_s": 1800.0,
        "lifetime_jitter": 0.05,
        "keepalive_s": 120.0,
        "max_idle_s": 600.0,
        "check_after_idle_s": 0.5,
        "check_timeout_s": 2.0,
        # as idle_in_transaction_s: the server would end such a connection's transaction
        "leak_after_s": 60.0,
        # found after twice as long, and connect_s: before gunicorn ends the worker after its 30 s
        "suspect_after_s": 10.0,
        "warm_up": 2,
    },
    "timeouts": {
        "connect_s": 5.0,
        # the 30 s of gunicorn's worker and of most load balancers: nobody waits for the answer any more
        "statement_s": 30.0,
        # what waits for a lock holds a connection, and blocks whoever comes after it: give up long before statement_s
        "lock_s": 5.0,
        # GitLab's idle_in_transaction_session_timeout (gitlab.com/gitlab-org/omnibus-gitlab, 60000 ms)
        "idle_in_transaction_s": 60.0,
        # Kubernetes kills 30 s after SIGTERM (terminationGracePeriodSeconds), gunicorn too (graceful_timeout)
        "shutdown_s": 20.0,
        "health_s": 2.0,
    },
    "tls": {"mode": "require"},
    "roles": {
        # its statements run long, so few may run at once
        "analytics": {"pool": {"size": 2, "overflow": 2, "warm_up": 0}, "statement_s": 600.0},
    },
    # Envoy's outlier detection: 5 failures in a row, out for 30 s (consecutive_5xx, base_ejection_time)
    "routing": {"eject_after": 5, "return_after_s": 30.0},
    # Kubernetes' probes: every 10 s, out after 3 failures (periodSeconds, failureThreshold); HAProxy's `rise` of 2
    "monitoring": {
        "enabled": True,
        "level": "full",
        "alerts": True,
        "health_interval_s": 10.0,
        "unhealthy_after": 3,
        "healthy_after": 2,
    },
    # a week of nights; after the hour that summer time leaves out or repeats
    "backup": {"enabled": True, "schedule": "30 3 * * *", "keep": 7},
    "security": {"require_tls": True, "secrets": "environment-or-files"},
    "logging": {"statements": False, "slow_ms": 500.0},
}
_TEST: Final[Mapping[str, Any]] = {
    # no number of connections that a test could wait for, no connection that is replaced while a test runs
    "pool": {
        "size": 2,
        "overflow": 20,
        "timeout_s": 5.0,
        "max_lifetime_s": 0.0,
        "keepalive_s": 0.0,
        "max_idle_s": 0.0,
        "leak_after_s": 0.0,
        "suspect_after_s": 0.0,
    },
    "timeouts": {"statement_s": 30.0, "lock_s": 5.0, "shutdown_s": 1.0},
    "roles": {"primary": {"url": "sqlite://"}},
    "monitoring": {"enabled": False},
    "backup": {"enabled": False},
}
_BY_NAME: Final[Mapping[Profile, Mapping[str, Any]]] = {
    "development": _DEVELOPMENT,
    "production": _PRODUCTION,
    "test": _TEST,
}


def defaults_of(profile: Profile) -> Layer:
    """Return what a profile says where nobody says otherwise."""
    values = _BY_NAME[profile]
    return Layer(values, {path: Origin(f"profile {profile}", "") for path in _paths(values)})


def _paths(values: Mapping[str, Any], above: Path = ()) -> list[Path]:
    found: list[Path] = []
    for name, value in values.items():
        at = (*above, name)
        found += _paths(value, at) if isinstance(value, Mapping) else [at]
    return found
