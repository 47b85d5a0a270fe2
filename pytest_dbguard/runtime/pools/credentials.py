"""Passwords that change while the application runs: asked for when a connection is opened."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.util import await_only

from pytest_dbguard.runtime.clock import SYSTEM_CLOCK, Clock

REFUSED = frozenset({"28P01", "28000"})
"""SQLSTATEs of a wrong password and of a login that may not be used."""


class RotatingPassword:
    """A password that a callable tells, such as a token that is good for a quarter of an hour.

    It is asked for when a connection is opened, at most every `keep_s` seconds, and once more when the server refuses
    what it told. Keep it for less time than the password is good for. Nothing here shows or stores the password
    elsewhere. Connections that are open go on: `drain` the pool when they must not.

    Args:
        fetch: Returns the password, or something to await where the engine is asynchronous.
        keep_s: How long to use what it returned, in seconds; 0 asks for each connection.
        clock: Measures that.
    """

    def __init__(
        self, fetch: Callable[[], str | Awaitable[str]], *, keep_s: float = 0.0, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._fetch = fetch
        self._keep_s = keep_s
        self._clock = clock
        self._kept: tuple[str, float] | None = None

    def attach(self, engine: Engine) -> None:
        """Have an engine's connections opened with it; of an `AsyncEngine`, pass `sync_engine`."""
        event.listen(engine, "do_connect", self._connect)

    def current(self) -> str:
        """Return the password; raises what the callable raises."""
        kept = self._kept
        if kept is not None and self._clock.monotonic() < kept[1]:
            return kept[0]
        return self._ask()

    def after_refusal(self, refused: str) -> str | None:
        """Ask again; return the new password, None when it is the one that was refused."""
        kept = self._kept
        # another connection may have asked meanwhile
        told = kept[0] if kept is not None and kept[0] != refused else self._ask()
        return told if told != refused else None

    def _ask(self) -> str:
        told = self._fetch()
        password: str = await_only(told) if inspect.isawaitable(told) else told
        self._kept = (password, self._clock.monotonic() + self._keep_s) if self._keep_s > 0 else None
        return password

    def _connect(self, dialect: Any, _record: Any, args: list[Any], options: dict[str, Any]) -> Any:
        options["password"] = password = self.current()
        try:
            return dialect.connect(*args, **options)
        except Exception as error:  # asyncpg's own, before SQLAlchemy 2.1
            if not is_refusal(error):
                raise
            other = self.after_refusal(password)
            if other is None:
                raise
        options["password"] = other
        return dialect.connect(*args, **options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(keep_s={self._keep_s})"


def is_refusal(error: BaseException) -> bool:
    """Tell whether a server has refused a login.

    libpq tells no SQLSTATE when a connection cannot be opened, and its text is in the server's language. psycopg tells
    whether the server had asked for a password; whoever asks again then learns whether there is another one.
    """
    sqlstate = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if sqlstate is not None:
        return sqlstate in REFUSED
    asked: bool = getattr(getattr(error, "pgconn", None), "used_password", False)
    return asked or "authentication failed" in str(error)
