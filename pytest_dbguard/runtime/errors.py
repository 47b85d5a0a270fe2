"""What the runtime raises: each says what is wrong and what to do next, and none holds a secret or a value of a row."""

from __future__ import annotations

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pytest_dbguard.core.errors import DbguardError


class RuntimeFault(DbguardError):
    """Something that the runtime cannot do as it is asked."""


class NotConfigured(RuntimeFault):
    """A part of the service that the settings leave out, or that this version does not bring."""


class NotStarted(RuntimeFault):
    """The service or manager is used before `start` or after `stop`."""


class PoolExhausted(PoolTimeoutError):
    """No connection became free in time; tells who holds them. Caught by who catches SQLAlchemy's `TimeoutError`."""


class PoolSaturated(PoolExhausted):
    """Refused at once, since as many callers wait for a connection as may."""


class ShuttingDown(PoolTimeoutError):
    """Refused, since the pool hands out nothing any more."""


class UnknownOutcome(RuntimeFault):
    """The connection broke while a commit was under way: the transaction may have happened. Never tried again."""
