"""Asks a PostgreSQL server how many connections it takes from the application, and never waits for long."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_dbguard.config.redact import redact

if TYPE_CHECKING:
    from pytest_dbguard.runtime.settings import DatabaseSettings, Target

_QUERY = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true), '0')::int,
           (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
           (SELECT datconnlimit FROM pg_database WHERE datname = current_database())
"""
_SOURCES = ("its max_connections", "the limit of its role", "the limit of the database")
# beyond the driver's own limit for the connection: for the answer, and for servers that accept and then say nothing
_MARGIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Limit:
    """Most connections that the application may open, and what says so; or why the server cannot be asked."""

    connections: int = 0
    source: str = ""
    why_not: str = ""


def ask_limit(settings: DatabaseSettings, target: Target) -> Limit:
    """Return what the server allows, within seconds.

    In a thread of its own: a server that accepts and then stays silent would hold up whoever waits for it.
    """
    answers: list[Limit] = []
    thread = threading.Thread(target=lambda: answers.append(_asked(settings, target)), daemon=True)
    thread.start()
    seconds = settings.timeouts.connect_s + _MARGIN_S
    thread.join(seconds)
    return answers[0] if answers else Limit(why_not=f"no answer within {seconds:g} s")


def _asked(settings: DatabaseSettings, target: Target) -> Limit:
    from sqlalchemy import NullPool, create_engine, text

    try:
        arguments = settings.engine_options(target.role, target=target)["connect_args"]
        engine = create_engine(settings.engine_url(target), poolclass=NullPool, connect_args=arguments)
        with engine.connect() as connection:
            row = connection.execute(text(_QUERY)).one()
    except Exception as error:  # noqa: BLE001  whatever it is, that the server cannot be asked is told
        return Limit(why_not=_reason(error))
    connections, source = min((limit, source) for limit, source in zip(row, _SOURCES, strict=True) if limit >= 0)
    return Limit(connections, source)


def _reason(error: Exception) -> str:
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return redact(lines[0].strip()) if lines else type(error).__name__
