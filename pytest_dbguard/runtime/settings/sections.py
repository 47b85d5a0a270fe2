"""The sections of the settings that every engine gets: pool, timeouts, TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr
from pydantic_core import PydanticCustomError

from pytest_dbguard.config.redact import redact

Seconds = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
SecondsOrOff = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0)]
Number = Annotated[int, Field(strict=True, ge=1)]
Fraction = Annotated[float, Field(strict=True, ge=0, le=0.5, allow_inf_nan=False)]


def _no_password(value: Any) -> Any:
    """Refuse what belongs into `url`: here it would be shown, and as a path it would no longer look like a URL."""
    if isinstance(value, str | Path) and redact(str(value)) != str(value):
        raise PydanticCustomError(
            "misplaced_url", "looks like a URL, which may hold a password; URLs belong into `url`"
        )
    return value


Text = Annotated[StrictStr, Field(min_length=1), BeforeValidator(_no_password)]
FilePath = Annotated[Path, BeforeValidator(_no_password)]

TlsMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
TLS_MODES: Final[tuple[TlsMode, ...]] = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""The names of libpq, weakest first."""

SYSTEM_ROOTS: Final = "system"
"""Value of `root_cert` for the authorities that the operating system trusts."""


class Section(BaseModel):
    """What the sections share: they never change, refuse keys they do not know, and quote no value in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)


class PoolSettings(Section):
    """How many connections a process keeps to one server, and for how long. The numbers' sources: `profiles.py`."""

    size: Number = 5
    """Connections that stay open."""

    overflow: Count = 10
    """Connections besides, which are closed when they come back."""

    timeout_s: SecondsOrOff = 30.0
    """Seconds that a caller waits for a connection; 0 does not wait."""

    max_waiting: Count = 0
    """Callers that may wait at once, the next is refused without waiting; 0 is any number."""

    max_lifetime_s: SecondsOrOff = 1800.0
    """Seconds after which a connection is replaced; 0 is never."""

    lifetime_jitter: Fraction = 0.05
    """Part of the lifetime, at most, by which it is shortened at random, so that not all end at once; 0 to 0.5."""

    keepalive_s: SecondsOrOff = 120.0
    """Seconds after which an idle connection is asked whether it lives; 0 is never."""

    max_idle_s: SecondsOrOff = 600.0
    """Seconds after which an idle connection is closed; 0 is never."""

    check_after_idle_s: SecondsOrOff = 0.5
    """Seconds of idleness after which a connection is asked whether it lives before it is handed out; 0 asks always."""

    check_timeout_s: Seconds = 2.0
    """Seconds within which it must answer."""

    leak_after_s: SecondsOrOff = 60.0
    """Seconds after which a connection that is not given back is told as a leak; 0 is never."""

    suspect_after_s: SecondsOrOff = 10.0
    """Seconds without an answer to a statement after which another connection to the server is tried; 0 is never.

    Only when nobody answers there either, within `timeouts.connect_s`, is the statement's connection cut.
    """

    warm_up: Count = 0
    """Connections that an eager start opens (`DatabaseService(eager=True)`), and that are kept open then."""


class TimeoutSettings(Section):
    """How long anything may take. For statements, locks and transactions 0 is no limit.

    PostgreSQL is told when a connection opens. A pooler between that refuses such options wants these three to be 0;
    `ALTER ROLE ... SET statement_timeout` then says them in the database.
    """

    connect_s: Seconds = 5.0
    """Seconds to open a connection; PostgreSQL's own library takes whole seconds, and 2 at least."""

    statement_s: SecondsOrOff = 0.0
    """Seconds that a statement may run."""

    lock_s: SecondsOrOff = 0.0
    """Seconds that a statement may wait for a lock; with 0, SQLite waits 5 seconds, its driver's default."""

    idle_in_transaction_s: SecondsOrOff = 0.0
    """Seconds that a transaction may do nothing."""

    shutdown_s: SecondsOrOff = 10.0
    """Seconds that a shutdown waits for work under way before it cancels that."""

    health_s: Seconds = 2.0
    """Seconds that all questions of one health check may take together."""


class TlsSettings(Section):
    """How connections to PostgreSQL are encrypted, and whom they trust. Paths are relative to the working directory."""

    mode: TlsMode = "prefer"
    """libpq's sslmode: from "require" on nothing goes unencrypted, "verify-full" also knows the server."""

    root_cert: FilePath | None = None
    """File with the certificates of trusted authorities; "system" for those that the operating system trusts."""

    cert: FilePath | None = None
    """File with the certificate of this client."""

    key: FilePath | None = None
    """File with the key of that certificate."""
