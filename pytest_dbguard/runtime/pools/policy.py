"""What a guarded pool does with its connections: how long they live, when they are checked, who may wait."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

MAX_JITTER = 0.5
_MUST_BE_POSITIVE = frozenset({"check_timeout_s", "connect_timeout_s"})


@dataclass(frozen=True, slots=True)
class PoolPolicy:
    """The limits of a guarded pool; times in seconds, measured by a monotonic clock.

    The defaults are HikariCP's (lifetime 30 minutes, idle 10 minutes, keepalive 2 minutes, no check of what was in use
    half a second ago). 0 switches `max_lifetime_s`, `keepalive_s`, `max_idle_s`, `leak_after_s` and `suspect_after_s`
    off.

    Raises:
        ValueError: For a number that cannot be used.
    """

    max_lifetime_s: float = 1800
    """A connection older than this is replaced when it is next idle, returned or asked for."""

    lifetime_jitter: float = 0.05
    """Each connection's lifetime is shorter by a random part of up to this, so that not all end at once; 0 to 0.5."""

    keepalive_s: float = 120
    """A connection idle for so long is asked for an answer, so that no firewall forgets it."""

    max_idle_s: float = 600
    """A connection idle for so long is closed, down to as many as `warm_up` asked for."""

    check_after_idle_s: float = 0.5
    """A connection idle for longer is asked for an answer before it is handed out; 0 asks always."""

    check_timeout_s: float = 2.0
    """How long such an answer may take."""

    max_waiting: int | None = None
    """How many callers may wait for a connection; any more are refused at once. None: no limit."""

    leak_after_s: float = 60
    """A connection held for longer is reported with the stack of who holds it."""

    suspect_after_s: float = 10
    """After so long without an answer to a statement, COMMIT or ROLLBACK, another connection to the server is tried.

    Only when nobody answers there either, within `connect_timeout_s`, is the connection cut. A statement that takes
    long on a server which answers is never harmed. The keeper of the pools does it, on PostgreSQL.
    """

    connect_timeout_s: float = 5
    """How long opening a connection may take, with what the dialect and listeners do on it at first.

    Asynchronous pools see to it. A thread cannot be interrupted: there the driver's own setting (`connect_timeout` in
    `connect_args`) must say the same.
    """

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(each.name, getattr(self, each.name))


def _check(name: str, value: float | None) -> None:
    if name == "max_waiting" and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int if name == "max_waiting" else int | float):
        raise ValueError(f"{name} must be a number, not {value!r}")
    if name == "lifetime_jitter" and not 0 <= value <= MAX_JITTER:
        raise ValueError(f"lifetime_jitter must be between 0 and {MAX_JITTER}, not {value!r}")
    if not math.isfinite(value) or value < 0 or (value == 0 and name in _MUST_BE_POSITIVE):
        raise ValueError(f"{name} must be {'more than' if name in _MUST_BE_POSITIVE else 'at least'} 0, not {value!r}")
